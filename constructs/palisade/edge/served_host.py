"""A host name that the stage serves: its certificate and its records."""

from __future__ import annotations

from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_route53 as route53

from constructs import Construct


class ServedHost(Construct):
    """``host`` with a certificate that Amazon issues and renews by itself, proved through the zone's DNS.

    ``zone_id`` is the public hosted zone, in this account, that holds the name. The certificate is of the stack's region.
    :meth:`restrict_issuance` lets no other certificate authority issue for this name.

    https://docs.aws.amazon.com/acm/latest/userguide/dns-validation.html
    """

    def __init__(self, scope: Construct, construct_id: str, *, host: str, zone_id: str) -> None:
        super().__init__(scope, construct_id)
        self.host = host
        self._zone = route53.HostedZone.from_hosted_zone_attributes(
            self, "Zone", hosted_zone_id=zone_id, zone_name=host
        )
        self.certificate = acm.Certificate(
            self, "Certificate", domain_name=host, validation=acm.CertificateValidation.from_dns(self._zone)
        )

    def restrict_issuance(self) -> None:
        """Publish who may issue certificates for this name, which holds for names below it too.

        https://docs.aws.amazon.com/acm/latest/userguide/setup-caa.html
        """
        record = route53.CaaAmazonRecord(self, "Issuance", zone=self._zone, record_name=self.host)
        # The first certificate is then already issued under the rule.
        self.certificate.node.add_dependency(record)

    def point_at(self, target: route53.IAliasRecordTarget, *, ipv6: bool = False) -> None:
        """Let the name lead to ``target``, over IPv6 too if the target has it."""
        alias = route53.RecordTarget.from_alias(target)
        route53.ARecord(self, "Address", zone=self._zone, record_name=self.host, target=alias)
        if ipv6:
            route53.AaaaRecord(self, "AddressV6", zone=self._zone, record_name=self.host, target=alias)
