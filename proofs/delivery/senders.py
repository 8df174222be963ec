"""Who writes for whom in AWS: the principal, and which condition keys its calls carry, with the page that says so.

A key that a page promises is *sent*; one that AWS documents as unusable is *absent*; of any other nothing is known, and a policy
whose answer hangs on it is not taken for a yes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Sender:
    """One service as a sender. ``sent`` and ``absent`` name global condition keys of calls to the receiver, ``key_sent`` and
    ``key_absent`` of calls to the key behind it."""

    name: str
    principal: str
    page: str
    sent: frozenset[str] = frozenset()
    absent: frozenset[str] = frozenset()
    key_sent: frozenset[str] = frozenset()
    key_absent: frozenset[str] = frozenset()
    key_actions: tuple[str, ...] = ("kms:GenerateDataKey", "kms:Decrypt")
    not_into_locked: bool = False
    """A bucket whose default retention locks each object refuses it, or AWS does not document that it is accepted."""
    only_own_encryption: bool = False
    """It delivers only into buckets encrypted with SSE-S3."""
    same_region: bool = False
    same_account: bool = False


_ACCOUNT, _ARN = "aws:SourceAccount", "aws:SourceArn"
_BOTH = frozenset({_ACCOUNT, _ARN})
_LOGS = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-infrastructure-S3.html"
_EVENTS = "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html"
_SNS = "https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html"

_TABLE = (
    Sender(
        name="trail",
        principal="cloudtrail.amazonaws.com",
        sent=frozenset({_ARN}),
        key_sent=frozenset({_ARN}),
        key_actions=("kms:GenerateDataKey", "kms:DescribeKey"),
        page="https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html",
    ),
    Sender(
        name="vended log",
        principal="delivery.logs.amazonaws.com",
        sent=_BOTH,
        key_sent=_BOTH,
        not_into_locked=True,
        page=_LOGS,
    ),
    Sender(
        name="load balancer",
        principal="logdelivery.elasticloadbalancing.amazonaws.com",
        sent=frozenset({_ARN}),
        not_into_locked=True,
        only_own_encryption=True,
        same_region=True,
        page="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html",
    ),
    Sender(
        name="server access log",
        principal="logging.s3.amazonaws.com",
        sent=_BOTH,
        not_into_locked=True,
        only_own_encryption=True,
        same_region=True,
        same_account=True,
        page="https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html",
    ),
    Sender(
        name="config",
        principal="config.amazonaws.com",
        sent=frozenset({_ACCOUNT}),
        key_sent=frozenset({_ACCOUNT}),
        not_into_locked=True,
        page="https://docs.aws.amazon.com/config/latest/developerguide/s3-bucket-policy.html",
    ),
    Sender(
        name="alarm",
        principal="cloudwatch.amazonaws.com",
        sent=_BOTH,
        key_sent=_BOTH,
        same_region=True,
        page="https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html",
    ),
    Sender(
        name="rule to topic",
        principal="events.amazonaws.com",
        # EventBridge documents that a topic's policy cannot have conditions for it.
        absent=_BOTH,
        key_absent=_BOTH,
        page=_EVENTS,
    ),
    Sender(name="rule", principal="events.amazonaws.com", sent=frozenset({_ARN}), page=_EVENTS),
    Sender(name="topic", principal="sns.amazonaws.com", sent=frozenset({_ARN}), page=_SNS),
    Sender(
        name="bucket event",
        principal="s3.amazonaws.com",
        sent=_BOTH,
        page="https://docs.aws.amazon.com/AmazonS3/latest/userguide/grant-destinations-permissions-to-s3.html",
    ),
    Sender(
        name="distribution",
        principal="cloudfront.amazonaws.com",
        sent=frozenset({_ARN}),
        key_sent=frozenset({_ARN}),
        key_actions=("kms:Decrypt",),
        page="https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3.html",
    ),
    Sender(
        name="target group",
        principal="elasticloadbalancing.amazonaws.com",
        sent=_BOTH,
        page="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html",
    ),
    Sender(
        name="api",
        principal="apigateway.amazonaws.com",
        sent=frozenset({_ARN}),
        page="https://docs.aws.amazon.com/lambda/latest/dg/services-apigateway.html",
    ),
    Sender(
        name="event bus",
        principal="events.amazonaws.com",
        key_sent=_BOTH,
        key_actions=("kms:GenerateDataKey", "kms:Decrypt"),
        page="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-encryption-key-policy.html",
    ),
    Sender(
        name="state machine log",
        principal="delivery.logs.amazonaws.com",
        key_actions=("kms:Decrypt",),
        page="https://docs.aws.amazon.com/step-functions/latest/dg/encryption-at-rest.html",
    ),
    Sender(
        name="log group",
        principal="logs.{region}.amazonaws.com",
        page="https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html",
    ),
)

SENDERS: Mapping[str, Sender] = {sender.name: sender for sender in _TABLE}


@dataclass(frozen=True, kw_only=True)
class RoleDeeds:
    """What a role does for its service: actions on the receiver (``{}`` at the end: on what is inside) and on its key."""

    service: str
    page: str
    actions: tuple[str, ...]
    key_actions: tuple[str, ...] = ("kms:GenerateDataKey",)
    names_account: bool = False
    """Whether the service gives the account's id as the external id when it takes the role."""


ROLES: Mapping[str, RoleDeeds] = {
    "replication source": RoleDeeds(
        service="s3.amazonaws.com",
        actions=(
            "s3:GetReplicationConfiguration",
            "s3:ListBucket",
            "s3:GetObjectVersionForReplication{}",
            "s3:GetObjectVersionAcl{}",
            "s3:GetObjectVersionTagging{}",
        ),
        key_actions=("kms:Decrypt",),
        page="https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html",
    ),
    "replica": RoleDeeds(
        service="s3.amazonaws.com",
        actions=("s3:ReplicateObject{}", "s3:ReplicateTags{}"),
        key_actions=("kms:Encrypt", "kms:GenerateDataKey"),
        page="https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html",
    ),
    "session record": RoleDeeds(
        service="ec2.amazonaws.com",
        actions=("s3:PutObject{}", "s3:GetEncryptionConfiguration"),
        key_actions=("kms:GenerateDataKey",),
        page="https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-create-iam-instance-profile.html",
    ),
    "session stream": RoleDeeds(
        service="ec2.amazonaws.com",
        actions=("logs:CreateLogStream", "logs:PutLogEvents"),
        page="https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-logging-cloudwatch-logs.html",
    ),
    "function log": RoleDeeds(
        service="lambda.amazonaws.com",
        actions=("logs:CreateLogStream", "logs:PutLogEvents"),
        page="https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html",
    ),
    "API log": RoleDeeds(
        service="apigateway.amazonaws.com",
        actions=("logs:CreateLogStream", "logs:PutLogEvents"),
        page="https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html",
    ),
    "queue reader": RoleDeeds(
        service="lambda.amazonaws.com",
        actions=("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"),
        key_actions=("kms:Decrypt",),
        page="https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html",
    ),
    "function to queue": RoleDeeds(
        service="lambda.amazonaws.com",
        actions=("sqs:SendMessage",),
        key_actions=("kms:GenerateDataKey", "kms:Decrypt"),
        page="https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html",
    ),
    "function to topic": RoleDeeds(
        service="lambda.amazonaws.com",
        actions=("sns:Publish",),
        key_actions=("kms:GenerateDataKey", "kms:Decrypt"),
        page="https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html",
    ),
    "stream to bucket": RoleDeeds(
        service="firehose.amazonaws.com",
        actions=(
            "s3:PutObject{}",
            "s3:AbortMultipartUpload{}",
            "s3:GetBucketLocation",
            "s3:ListBucket",
            "s3:ListBucketMultipartUploads",
        ),
        key_actions=("kms:GenerateDataKey", "kms:Decrypt"),
        names_account=True,
        page="https://docs.aws.amazon.com/firehose/latest/dev/controlling-access.html",
    ),
    "stream through function": RoleDeeds(
        service="firehose.amazonaws.com",
        actions=("lambda:GetFunctionConfiguration", "lambda:InvokeFunction"),
        names_account=True,
        page="https://docs.aws.amazon.com/firehose/latest/dev/controlling-access.html",
    ),
    "shipper reads bucket": RoleDeeds(
        service="lambda.amazonaws.com",
        actions=("s3:ListBucket", "s3:GetObject{}"),
        key_actions=("kms:Decrypt",),
        page="https://docs.aws.amazon.com/AmazonS3/latest/userguide/example-walkthroughs-managing-access-example2.html",
    ),
    "shipper keeps receipts": RoleDeeds(
        service="lambda.amazonaws.com",
        actions=("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"),
        key_actions=("kms:Decrypt",),
        page="https://docs.aws.amazon.com/kms/latest/developerguide/services-dynamodb.html",
    ),
    "shipper reads secret": RoleDeeds(
        service="lambda.amazonaws.com",
        actions=("secretsmanager:GetSecretValue",),
        key_actions=("kms:Decrypt",),
        page="https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html",
    ),
    "log to stream": RoleDeeds(
        service="logs.amazonaws.com",
        actions=("firehose:PutRecord", "firehose:PutRecordBatch"),
        page="https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html",
    ),
    "backup copy": RoleDeeds(
        service="backup.amazonaws.com",
        actions=("backup:CopyIntoBackupVault",),
        key_actions=("kms:GenerateDataKey", "kms:Decrypt", "kms:DescribeKey"),
        page="https://docs.aws.amazon.com/aws-backup/latest/devguide/create-cross-account-backup.html",
    ),
    "canary result": RoleDeeds(
        service="lambda.amazonaws.com",
        actions=("s3:PutObject{}", "s3:GetBucketLocation"),
        key_actions=("kms:GenerateDataKey",),
        page="https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Synthetics_Canaries_Roles.html",
    ),
    "trail to logs": RoleDeeds(
        service="cloudtrail.amazonaws.com",
        actions=("logs:CreateLogStream", "logs:PutLogEvents"),
        page="https://docs.aws.amazon.com/awscloudtrail/latest/userguide/"
        "cloudtrail-required-policy-for-cloudwatch-logs.html",
    ),
    "flow log to logs": RoleDeeds(
        service="vpc-flow-logs.amazonaws.com",
        actions=("logs:CreateLogStream", "logs:PutLogEvents"),
        page="https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html",
    ),
    "rule starts machine": RoleDeeds(
        service="events.amazonaws.com",
        actions=("states:StartExecution",),
        page="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-identity-based.html",
    ),
    "machine to function": RoleDeeds(
        service="states.amazonaws.com",
        actions=("lambda:InvokeFunction",),
        page="https://docs.aws.amazon.com/step-functions/latest/dg/connect-lambda.html",
    ),
    "machine to topic": RoleDeeds(
        service="states.amazonaws.com",
        actions=("sns:Publish",),
        key_actions=("kms:GenerateDataKey", "kms:Decrypt"),
        page="https://docs.aws.amazon.com/step-functions/latest/dg/connect-sns.html",
    ),
    "rule to bus": RoleDeeds(
        service="events.amazonaws.com",
        actions=("events:PutEvents",),
        page="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-account.html",
    ),
    "rule to stream": RoleDeeds(
        service="events.amazonaws.com",
        actions=("firehose:PutRecord",),
        page="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-identity-based.html",
    ),
}
"""Arrows along which a service works with a role of the deployment."""
