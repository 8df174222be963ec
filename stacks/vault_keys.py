"""The keys of every stage's credential vault, in the security account."""

from __future__ import annotations

from aws_cdk import aws_kms as kms
from palisade.keys import VaultKey, VaultUsers

from constructs import Construct
from stacks.base import PalisadeStack
from stacks.findings import SECURITY
from stacks.names import VaultRoleName
from stacks.settings import Deployment, Stage


class VaultKeys(PalisadeStack):
    """One key for each stage, which opens nothing that lies in this account; the ciphertext is in the stage's.

    A stage whose ``vault_key_generation`` is raised gets a new key under the same alias; the one before stays, under an
    alias of its own, until everything is sealed anew.

    https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys-manually.html
    """

    def __init__(self, scope: Construct, *, deployment: Deployment) -> None:
        super().__init__(
            scope,
            deployment=deployment,
            owner=SECURITY,
            subject="vault-keys",
            account=deployment.accounts.security,
            stateful=True,
        )
        for stage in deployment.stages:
            aliases = self.names.vault_key_aliases(stage)
            for age, alias in enumerate(aliases):
                self._key(stage, stage.vault_key_generation - age, alias, "Current" if age == 0 else "Former")

    def _key(self, stage: Stage, generation: int, alias: str, which: str) -> None:
        key = VaultKey(
            self,
            f"{stage.name.capitalize()}Generation{generation}",
            description=f"{stage.name}: data keys of the credential vault",
            users=VaultUsers(
                account=stage.account,
                writer=self.names.vault_role(VaultRoleName.WRITER),
                reader=self.names.vault_role(VaultRoleName.READER),
                reencrypter=self.names.vault_role(VaultRoleName.REENCRYPTER),
            ),
        )
        kms.CfnAlias(self, f"{stage.name.capitalize()}{which}", alias_name=alias, target_key_id=key.key_id)
