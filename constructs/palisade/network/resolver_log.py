"""Records every name that the VPC asks for, in an archive that the VPC's account cannot change."""

from __future__ import annotations

from aws_cdk import aws_route53resolver as resolver

from constructs import Construct


class ResolverLog(Construct):
    """Every DNS query of the VPC, and what the DNS firewall did with it, goes to ``bucket_name``.

    Control: ``network.resolver-log.all-queries``. The bucket is in the log archive account.
    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-query-logs.html
    """

    def __init__(self, scope: Construct, construct_id: str, *, name: str, vpc_id: str, bucket_name: str) -> None:
        super().__init__(scope, construct_id)
        destination = resolver.CfnResolverQueryLoggingConfig(
            self, "Resource", name=name, destination_arn=f"arn:aws:s3:::{bucket_name}"
        )
        resolver.CfnResolverQueryLoggingConfigAssociation(
            self, "Association", resolver_query_log_config_id=destination.ref, resource_id=vpc_id
        )
