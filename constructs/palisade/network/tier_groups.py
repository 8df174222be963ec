"""The security groups of the tiers and every rule between them, in one place."""

from __future__ import annotations

from aws_cdk import aws_ec2 as ec2

from constructs import Construct

_HTTPS = ec2.Port.tcp(443)


class TierGroups(Construct):
    """Who may open a connection to whom; what is not written here is refused.

    Other stacks use the groups as they are: :attr:`balancer` and so on are immutable, so that nothing adds a rule.
    Control: ``network.groups.least-reach``.
    https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, vpc: ec2.IVpc, application_port: int, database_port: int
    ) -> None:
        super().__init__(scope, construct_id)
        balancer = self._group("Balancer", vpc, "Load balancers")
        application = self._group("Application", vpc, "Application functions and machines")
        database = self._group("Database", vpc, "Databases")
        endpoint = self._group("Endpoint", vpc, "Interface endpoints of AWS services")
        bastion = self._group("Bastion", vpc, "Bastion")

        to_application, to_database = ec2.Port.tcp(application_port), ec2.Port.tcp(database_port)
        self._connect(balancer, application, to_application, "Load balancer to application")
        self._connect(application, database, to_database, "Application to database")
        self._connect(application, endpoint, _HTTPS, "Application to AWS services")
        self._connect(bastion, database, to_database, "Forwarded sessions to database")
        self._connect(bastion, endpoint, _HTTPS, "Bastion to AWS services")
        application.add_egress_rule(ec2.Peer.any_ipv4(), _HTTPS, "Allowed vendors, S3 and DynamoDB")
        # Gateway endpoints have no group, and their address list no name that a template could give.
        bastion.add_egress_rule(ec2.Peer.any_ipv4(), _HTTPS, "Recordings and updates in S3")

        self.balancer = self._immutable("Balancer", balancer)
        self.application = self._immutable("Application", application)
        self.database = self._immutable("Database", database)
        self.endpoint = self._immutable("Endpoint", endpoint)
        self.bastion = self._immutable("Bastion", bastion)

    def _group(self, construct_id: str, vpc: ec2.IVpc, description: str) -> ec2.SecurityGroup:
        return ec2.SecurityGroup(self, construct_id, vpc=vpc, description=description, allow_all_outbound=False)

    @staticmethod
    def _connect(source: ec2.SecurityGroup, target: ec2.SecurityGroup, port: ec2.Port, description: str) -> None:
        source.add_egress_rule(target, port, description)
        target.add_ingress_rule(source, port, description)

    def _immutable(self, construct_id: str, group: ec2.SecurityGroup) -> ec2.ISecurityGroup:
        return ec2.SecurityGroup.from_security_group_id(
            self, f"{construct_id}Reference", group.security_group_id, mutable=False
        )
