"""The principals that guardrails tell apart."""

from __future__ import annotations

from dataclasses import dataclass

import aws_cdk as cdk

_ROLE = "arn:aws:iam::*:role/"
_CDK = f"{_ROLE}cdk-{cdk.DefaultStackSynthesizer.DEFAULT_QUALIFIER}"

FOUNDER = f"{_ROLE}OrganizationAccountAccessRole"
"""The role by which the management account, and nobody else, enters an account to found it.
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_access.html"""

SIGNED_IN = f"{_ROLE}aws-reserved/sso.amazonaws.com/*"
"""People, as IAM Identity Center lets them in. AWS alone can make or change roles under this path.
https://docs.aws.amazon.com/singlesignon/latest/userguide/using-service-linked-roles.html"""

USERS = "arn:aws:iam::*:user/*"
FEDERATED = "arn:aws:sts::*:federated-user/*"

PEOPLE = (SIGNED_IN, USERS, FEDERATED, FOUNDER)
"""Everybody behind whom a person may stand; the break-glass role is a person's too, and is named where it counts."""

CLOUDFORMATION = f"{_CDK}-cfn-exec-role-*"
"""CloudFormation at work for the pipeline: only the service can assume this role."""

PIPELINE = f"{_CDK}-deploy-role-*"
"""Who hands templates to CloudFormation."""

CDK_ROLES = f"{_ROLE}cdk-*"


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """What a deployment calls its own: the prefix of its names, and the name in its tags."""

    prefix: str
    name: str

    @property
    def break_glass(self) -> str:
        """The role of emergencies, whose every use pages."""
        return f"{_ROLE}{self.prefix}-break-glass"

    def job(self, name: str) -> str:
        """People who work under one permission set, which carries the prefix."""
        return f"{SIGNED_IN}AWSReservedSSO_{self.prefix}-{name}_*"

    @property
    def emergency(self) -> tuple[str, str]:
        """Both ways into an emergency: with IAM Identity Center, and without it."""
        return (self.job("break-glass"), self.break_glass)

    @property
    def gatekeeper(self) -> str:
        """The role of each stage that opens and closes its levels."""
        return f"{_ROLE}{self.prefix}-gatekeeper"

    @property
    def access_enforcer(self) -> str:
        """The role of the security account that assigns levels for a while."""
        return f"{_ROLE}{self.prefix}-recorder-access-enforcer"

    @property
    def roles(self) -> str:
        """Roles that carry the prefix."""
        return f"{_ROLE}{self.prefix}-*"

    @property
    def policies(self) -> str:
        """The boundary, the execution policies, and every other policy with the prefix."""
        return f"arn:aws:iam::*:policy/{self.prefix}-*"

    @property
    def boundary(self) -> str:
        """The permissions boundary of each account."""
        return f"arn:aws:iam::*:policy/{self.prefix}-boundary"

    @property
    def backup_roles(self) -> str:
        """The roles under which AWS Backup works."""
        return f"{_ROLE}{self.prefix}-backup-*"

    @property
    def containment(self) -> str:
        """The role of each stage that contains incidents."""
        return f"{_ROLE}{self.prefix}-recorder-containment"

    @property
    def not_made_by_it(self) -> dict[str, str]:
        """A condition: the principal lacks the tag that every role of a template carries (and nobody else may set)."""
        return {"aws:PrincipalTag/palisade:deployment": self.name}
