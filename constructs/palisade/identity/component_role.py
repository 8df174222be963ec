"""The role of exactly one component, with a policy of its own."""

from __future__ import annotations

from aws_cdk import aws_iam as iam

from constructs import Construct


class ComponentRole(Construct):
    """A role for one component, bounded by the account's boundary, whose rights are one customer-managed policy.

    Grant to :attr:`grantee` (``table.grant_read_data(role.grantee)``), so that no inline policy appears.
    ``name`` is given only where another account or policy must name the role before it exists.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        assumed_by: iam.IPrincipal,
        description: str,
        name: str | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.role = iam.Role(self, "Resource", assumed_by=assumed_by, description=description, role_name=name)
        self._policy = iam.ManagedPolicy(self, "Policy", description=description, roles=[self.role])

    @property
    def grantee(self) -> iam.IGrantable:
        """What to grant rights to."""
        return self._policy

    @property
    def policy(self) -> iam.ManagedPolicy:
        """The managed policy, to add a dependency or an acknowledgement on."""
        return self._policy

    def allow(self, *statements: iam.PolicyStatement) -> None:
        """Add statements to the policy."""
        self._policy.add_statements(*statements)
