"""Where people work: the accounts that a permission set is made for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import aws_iam as iam


@dataclass(frozen=True, kw_only=True)
class Ground:
    """Accounts by the stage they hold, the home region, and what names begin with.

    A permission set's policy is the same text in every account that it is assigned to. ARNs name the account where it is
    one; of several, none is named, because the text would outgrow what a role holds, and :meth:`never_elsewhere` keeps a
    session inside its own account.
    """

    prefix: str
    region: str
    stages: Mapping[str, str]

    @property
    def accounts(self) -> list[str]:
        """The account ids."""
        return list(self.stages.values())

    def arns(self, service: str, *resources: str) -> list[str]:
        """ARNs of ``resources`` in the home region; ``{stage}`` stands for the stage's name."""
        return self._arns(f"{service}:{self.region}", resources)

    def world_wide(self, service: str, *resources: str) -> list[str]:
        """ARNs of resources of a service without regions, such as IAM."""
        return self._arns(f"{service}:", resources)

    def _arns(self, place: str, resources: Sequence[str]) -> list[str]:
        account = self.accounts[0] if len(self.stages) == 1 else "*"
        named = [resource.format(stage=stage) for resource in resources for stage in self.stages]
        return [f"arn:aws:{place}:{account}:{name}" for name in dict.fromkeys(named)]

    def never_elsewhere(self) -> iam.PolicyStatement:
        """Refuses what another account's resource policies might let a session do there.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_data-perimeters.html
        """
        return iam.PolicyStatement(
            sid="NeverElsewhere",
            effect=iam.Effect.DENY,
            actions=[f"{name}:*" for name in ("dynamodb", "kms", "lambda", "s3", "sns", "sqs")] + ["sts:AssumeRole"],
            resources=["*"],
            conditions={
                "StringNotEquals": {"aws:ResourceAccount": "${aws:PrincipalAccount}"},
                "Null": {"aws:ResourceAccount": "false"},
            },
        )

    def buckets(self, *purposes: str) -> Iterator[str]:
        """ARNs of the stage's own buckets for ``purposes``."""
        for account in self.accounts:
            for purpose in purposes:
                yield f"arn:aws:s3:::{self.prefix}-{purpose}-{account}-{self.region}"

    def keys_through(self, *services: str) -> dict[str, dict[str, object]]:
        """A condition that holds for requests to KMS that come through ``services``: it tells keys apart by what they serve."""
        return {"StringEquals": {"kms:ViaService": [f"{name}.{self.region}.amazonaws.com" for name in services]}}
