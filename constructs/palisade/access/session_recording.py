"""How every Session Manager shell of the account and region is encrypted, limited and recorded."""

from __future__ import annotations

from aws_cdk import aws_kms as kms
from aws_cdk import aws_ssm as ssm

from constructs import Construct
from palisade.observability import RetainedLogGroup

IDLE_MINUTES = 20
LONGEST_MINUTES = 480


class SessionRecording(Construct):
    """Each keystroke and answer is encrypted with ``key``, streamed to ``log_group`` and archived in ``bucket_name``.

    The document's name makes it the default of every shell session in this account and region. A session ends after
    20 minutes without input and after eight hours in any case. Forwarded ports carry other protocols, which Session
    Manager does not record: who opened one is in the trail, what was asked is in the database's own audit log.

    Control: access.session.recording
    https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-create-preferences-cli.html
    https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-logging.html
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, key: kms.IKey, bucket_name: str, log_group: RetainedLogGroup
    ) -> None:
        super().__init__(scope, construct_id)
        self.key = key
        self.bucket_name = bucket_name
        self.log_group = log_group
        ssm.CfnDocument(
            self,
            "Resource",
            name="SSM-SessionManagerRunShell",
            document_type="Session",
            document_format="JSON",
            update_method="NewVersion",
            content={
                "schemaVersion": "1.0",
                "description": "Shell sessions are encrypted, recorded and limited in time",
                "sessionType": "Standard_Stream",
                "inputs": {
                    "kmsKeyId": key.key_arn,
                    "s3BucketName": bucket_name,
                    "s3KeyPrefix": "",
                    "s3EncryptionEnabled": True,
                    "cloudWatchLogGroupName": log_group.name,
                    "cloudWatchEncryptionEnabled": True,
                    "cloudWatchStreamingEnabled": True,
                    "idleSessionTimeout": str(IDLE_MINUTES),
                    "maxSessionDuration": str(LONGEST_MINUTES),
                    "runAsEnabled": False,
                    "runAsDefaultUser": "",
                    "shellProfile": {"linux": "", "windows": ""},
                },
            },
        )
