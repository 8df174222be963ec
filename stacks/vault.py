"""The credential vault of a stage: what tenants entrust to the product to use elsewhere on their behalf."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from palisade.acknowledge import acknowledge, in_packs
from palisade.compute import Function, VaultLayer
from palisade.observability import Alarm
from palisade.storage import BackupClass, PrivateTable
from palisade.workloads import VaultRole, VaultStore
from palisade.workloads.tenant_role import TENANT

from constructs import Construct
from stacks.alarms import Alarms
from stacks.base import StageStack
from stacks.keys import Keys
from stacks.log_archive import LogArchiveStage
from stacks.names import VaultRoleName, Workflow
from stacks.network import Network
from stacks.settings import Deployment, Stage
from stacks.vault_keys import VaultKeys

_READ = "dynamodb:GetItem"
_WRITE = ("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem")


class Vault(StageStack):
    """Sealed credentials in a table here; what opens them is a key of the security account, one tenant at a time.

    Who writes cannot open, who opens cannot write, and a read that is not recorded in the archive does not happen.
    :meth:`lend_to` makes a workload's function a reader.

    https://docs.aws.amazon.com/encryption-sdk/latest/developer-guide/introduction.html
    """

    def __init__(
        self,
        scope: Construct,
        *,
        deployment: Deployment,
        stage: Stage,
        keys: Keys,
        network: Network,
        alarms: Alarms,
        archive: LogArchiveStage,
        vault_keys: VaultKeys,
    ) -> None:
        super().__init__(scope, deployment=deployment, stage=stage, subject="vault", stateful=True)
        self.add_stack_dependency(archive)
        self.add_stack_dependency(vault_keys)
        self._network, self._alarms = network, alarms
        self._layer = VaultLayer(self, "Layer").layer
        self._log = self.decision_log(Workflow.VAULT)
        table = self.table = PrivateTable(
            self,
            "Credentials",
            name=self.names.vault_table,
            key=keys.data.key,
            partition_key="tenant",
            sort_key="entry",
            backup=BackupClass.STANDARD,
        ).table
        store = VaultStore(table=table, table_key=keys.data.key, aliases=self.names.vault_key_arns(stage))
        self._settings = {
            **self._log.environment,
            "VAULT_TABLE_NAME": self.names.vault_table,
            "KEY_ALIASES": " ".join(store.aliases),
        }
        keeper = self._function("Keeper", "keep", "keep_credential", "Keeps credentials, and cannot open them")
        checker = self._function("Checker", "check", "check_credential", "Says whether a credential can be read")
        reencrypter = self._function(
            "Reencrypter", "reencrypt", "reencrypt_credentials", "Seals every credential anew", seconds=300
        )
        for function in (keeper, reencrypter):
            self._log.allow_writing(function.component)
            self._log.allow_reading(function.component)
        self.readers = self._role(
            VaultRoleName.READER, "Reader", function=checker, store=store, items=[_READ], uses=["kms:Decrypt"]
        )
        # A reader's session records what it reads of its tenant, and reads no record.
        self._log.allow_session_writing(self.readers.component, tenant=TENANT, event="read.")
        self._role(
            VaultRoleName.WRITER, "Writer", function=keeper, store=store, items=_WRITE, uses=["kms:GenerateDataKey"]
        )
        self._role(
            VaultRoleName.REENCRYPTER,
            "Sealing",
            function=reencrypter,
            store=store,
            items=["dynamodb:Query", "dynamodb:UpdateItem"],
            uses=["kms:Decrypt", "kms:GenerateDataKey"],
        )
        self._people(keeper, checker, reencrypter)
        deeds = '{ $.event = "*" }'
        self.audited = {function.node.id: (function.log_group, deeds) for function in (keeper, checker, reencrypter)}

    def lend_to(self, function: Function) -> None:
        """Let ``function`` read credentials of the tenant it works for, by ``palisade_runtime.vault.Vault``."""
        function.function.add_layers(VaultLayer(function, "VaultLayer").layer)
        for name, value in {**self._settings, "VAULT_ROLE_ARN": self.readers.arn}.items():
            function.function.add_environment(name, value)
        self.readers.admit(function)

    def _function(self, construct_id: str, task: str, source: str, description: str, *, seconds: int = 30) -> Function:
        function = Function(
            self,
            construct_id,
            source=source,
            description=description,
            placement=self._network.placement("vault"),
            environment=self._settings,
            timeout_seconds=seconds,
            layers=[self._layer],
            name=self.names.vault_function(task),
            role_name=self.names.recorder(Workflow.VAULT, task),
        )
        acknowledge(
            function.function,
            f"{source}: people call it and wait for the answer; what they asked for they ask for again.",
            *in_packs("LambdaDLQ", "NIST.800.53.R5", "HIPAA.Security", "Serverless"),
        )
        Alarm(
            self,
            f"{construct_id}Failing",
            description=f"{self.stage.name} vault: {source} failed. Read its log; nothing is lost, ask again.",
            metric=function.function.metric_errors(period=cdk.Duration.minutes(5), statistic="Sum"),
            threshold=1,
            topic=self._alarms.topic,
        )
        return function

    def _role(
        self,
        name: VaultRoleName,
        construct_id: str,
        *,
        function: Function,
        store: VaultStore,
        items: Sequence[str],
        uses: Sequence[str],
    ) -> VaultRole:
        role = VaultRole(
            self,
            construct_id,
            name=self.names.vault_role(name),
            assumed_by=function,
            store=store,
            items=items,
            uses=uses,
        )
        function.function.add_environment("VAULT_ROLE_ARN", role.arn)
        return role

    def _people(self, keeper: Function, checker: Function, reencrypter: Function) -> None:
        people = self._log.people(
            self,
            "KeeperPolicy",
            name=self.names.vault_keeper,
            deeds=["put", "rotate", "take-back"],
            to=keeper.function.function_arn,
        )
        people.add_statements(
            iam.PolicyStatement(
                sid="Check", actions=["lambda:InvokeFunction"], resources=[checker.function.function_arn]
            )
        )
        self._log.people(
            self,
            "OperatorPolicy",
            name=self.names.vault_operator,
            deeds=["reencrypt"],
            to=reencrypter.function.function_arn,
        )
