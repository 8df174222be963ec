"""One key per class of data, in each stage."""

from __future__ import annotations

from palisade.keys import CustomerKey

from constructs import Construct
from stacks.base import StageStack
from stacks.settings import Deployment, Stage


class Keys(StageStack):
    """The stage's customer-managed keys: data, logs, secrets, backup and messaging."""

    def __init__(self, scope: Construct, *, deployment: Deployment, stage: Stage) -> None:
        super().__init__(scope, deployment=deployment, stage=stage, subject="keys", stateful=True)
        self.data = self._key(
            "Data", "data", "customer data at rest", ["s3", "dynamodb", "rds", "ec2", "backup", "cognito-idp"]
        )
        self.logs = self._key("Logs", "logs", "log groups", ["logs"])
        self.secrets = self._key(
            "Secrets", "secrets", "secrets and function environments", ["secretsmanager", "lambda"]
        )
        self.backup = self._key(
            "Backup", "backup", "recovery points of this account", ["backup", "dynamodb", "rds", "s3"]
        )
        self.messaging = self._key(
            "Messaging", "messaging", "queues, topics and workflows", ["sqs", "sns", "lambda", "states"]
        )

        self.logs.allow_log_groups()
        self.data.allow_sessions()
        self.data.allow_auto_scaling()
        self.messaging.allow_alarms_and_events()
        self.messaging.allow_state_machines()
        if deployment.organization is not None:
            # Copies in the backup account are made from recovery points under these two keys.
            for key in (self.data, self.backup):
                key.allow_backup_roles(deployment.accounts.backup, sid="BackupAccountCopies")

    def _key(self, construct_id: str, data_class: str, protects: str, used_through: list[str]) -> CustomerKey:
        return CustomerKey(
            self,
            construct_id,
            alias=self.names.key_alias(data_class),
            description=f"{self.stage.name}: {protects}",
            used_through=used_through,
        )
