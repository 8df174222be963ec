"""Sends the access logs of a CloudFront distribution to the archive."""

from __future__ import annotations

from aws_cdk import aws_logs as logs

from constructs import Construct

CDN_LOG_FIELDS = (
    "date",
    "time",
    "x-edge-location",
    "x-edge-request-id",
    "x-edge-result-type",
    "x-edge-response-result-type",
    "x-edge-detailed-result-type",
    "c-ip",
    "c-port",
    "x-forwarded-for",
    "cs-protocol",
    "cs-protocol-version",
    "cs-method",
    "cs(Host)",
    "x-host-header",
    "cs-uri-stem",
    "cs(User-Agent)",
    "cs-bytes",
    "sc-status",
    "sc-bytes",
    "sc-content-type",
    "ssl-protocol",
    "ssl-cipher",
    "time-taken",
    "time-to-first-byte",
)
"""Without cookies, query strings and referrers, which may carry credentials.
https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logs-reference.html"""


class CdnLogDelivery(Construct):
    """Delivers standard logs (v2) of ``distribution_arn`` to ``destination_arn``, by hour and distribution.

    Belongs in us-east-1 of the distribution's account. ``name`` is unique there.
    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logging.html
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, name: str, distribution_arn: str, destination_arn: str
    ) -> None:
        super().__init__(scope, construct_id)
        source = logs.CfnDeliverySource(
            self, "Source", name=name, log_type="ACCESS_LOGS", resource_arn=distribution_arn
        )
        delivery = logs.CfnDelivery(
            self,
            "Resource",
            delivery_source_name=name,
            delivery_destination_arn=destination_arn,
            record_fields=list(CDN_LOG_FIELDS),
            # By day first: tables find a day without knowing which distributions exist.
            s3_suffix_path="{yyyy}/{MM}/{dd}/{HH}/{DistributionId}",
            s3_enable_hive_compatible_path=False,
        )
        delivery.add_resource_dependency(source)
