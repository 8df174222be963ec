"""The host name of a stage's APIs, over TLS 1.3 only."""

from __future__ import annotations

from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_certificatemanager as acm

from constructs import Construct


class ApiDomain(Construct):
    """Regional custom domain that accepts TLS 1.3 and nothing older, and only requests that were meant for ``host``.

    Several APIs may share it, each under a base path of its own.

    Control: ``edge.api.tls``

    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-custom-domain-tls-version.html
    """

    def __init__(self, scope: Construct, construct_id: str, *, host: str, certificate: acm.ICertificate) -> None:
        super().__init__(scope, construct_id)
        self.domain = apigateway.DomainName(
            self,
            "Resource",
            domain_name=host,
            certificate=certificate,
            endpoint_type=apigateway.EndpointType.REGIONAL,
            security_policy=apigateway.SecurityPolicy.TLS13_1_3_2025_09,
            endpoint_access_mode=apigateway.EndpointAccessMode.STRICT,
        )
