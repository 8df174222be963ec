"""What people may do, by job. Each function returns the statements of one right."""

from __future__ import annotations

from aws_cdk import aws_iam as iam

from palisade.identity import sight
from palisade.identity.ground import Ground

LAB = "lab"
"""What engineers make by hand is called so; roles stand under this path."""


def settings(ground: Ground) -> list[iam.PolicyStatement]:
    """Turns the knobs that a running stage has: concurrency, intake, failover, caches, canaries, a backup now."""
    return [
        iam.PolicyStatement(
            sid="Functions",
            actions=[
                "lambda:DeleteFunctionConcurrency",
                "lambda:PutFunctionConcurrency",
                "lambda:UpdateEventSourceMapping",
            ],
            resources=ground.arns("lambda", "function:{stage}-*", "event-source-mapping:*"),
        ),
        iam.PolicyStatement(
            sid="Failover",
            actions=["rds:FailoverDBCluster", "rds:RebootDBInstance", "rds:StartDBCluster"],
            resources=ground.arns("rds", f"cluster:{ground.prefix}-{{stage}}", "db:*"),
        ),
        iam.PolicyStatement(
            sid="Caches",
            actions=["cloudfront:CreateInvalidation"],
            resources=ground.world_wide("cloudfront", "distribution/*"),
        ),
        iam.PolicyStatement(
            sid="Watch",
            actions=["cloudwatch:EnableAlarmActions", "synthetics:StartCanary", "synthetics:StopCanary"],
            resources=[*ground.arns("cloudwatch", "alarm:*"), *ground.arns("synthetics", "canary:*")],
        ),
        iam.PolicyStatement(
            sid="BackUpNow",
            actions=["backup:StartBackupJob"],
            resources=ground.arns("backup", f"backup-vault:{ground.prefix}-{{stage}}"),
        ),
        _pass_backup_role(ground),
    ]


def messages(ground: Ground) -> list[iam.PolicyStatement]:
    """Looks into queues, sends what failed on its way again, or throws it away."""
    return [
        iam.PolicyStatement(
            sid="Queues",
            actions=[
                "sqs:CancelMessageMoveTask",
                "sqs:ChangeMessageVisibility",
                "sqs:DeleteMessage",
                "sqs:ListMessageMoveTasks",
                "sqs:ReceiveMessage",
                "sqs:SendMessage",
                "sqs:StartMessageMoveTask",
            ],
            resources=ground.arns("sqs", "{stage}-*"),
        ),
        iam.PolicyStatement(
            sid="MessageKey",
            actions=["kms:Decrypt", "kms:GenerateDataKey"],
            resources=ground.arns("kms", "key/*"),
            conditions=ground.keys_through("sqs"),
        ),
    ]


def tunnel(ground: Ground) -> list[iam.PolicyStatement]:
    """Starts the bastion and forwards a port to the database and nowhere else."""
    return [
        iam.PolicyStatement(
            sid="StartBastion",
            actions=["autoscaling:SetDesiredCapacity"],
            resources=ground.arns("autoscaling", f"autoScalingGroup:*:autoScalingGroupName/{ground.prefix}-bastion"),
        ),
        iam.PolicyStatement(
            sid="FindBastion", actions=["ec2:DescribeInstances", "rds:DescribeDBClusters"], resources=["*"]
        ),
        *_sessions(ground, "Tunnel", f"{ground.prefix}-database"),
        iam.PolicyStatement(
            sid="SessionKey",
            actions=["kms:GenerateDataKey"],
            resources=ground.arns("kms", "key/*"),
            conditions={"ForAnyValue:StringEquals": {"kms:ResourceAliases": f"alias/{ground.prefix}/data"}},
        ),
        iam.PolicyStatement(
            sid="OwnSessions",
            actions=["ssm:ResumeSession", "ssm:TerminateSession"],
            resources=ground.arns("ssm", "session/${{aws:userid}}-*"),
        ),
    ]


ONESELF = "${aws:PrincipalTag/username}"
"""The database's user that bears the person's name in the directory."""
EMERGENCY_USER = "break_glass"
"""The database's user of emergencies, in which no directory says who somebody is; the trail does."""


def database(ground: Ground, *, user: str = ONESELF) -> list[iam.PolicyStatement]:
    """Connects to the database as ``user`` and nobody else.

    https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.IAMPolicy.html
    """
    return [
        *tunnel(ground),
        iam.PolicyStatement(
            sid="Database",
            actions=["rds-db:connect"],
            resources=[f"{arn}/{user}" for arn in ground.arns("rds-db", "dbuser:cluster-*")],
        ),
    ]


def keys(ground: Ground) -> list[iam.PolicyStatement]:
    """Switches keys off and on and rotates them; what they encrypt, their policies refuse to this role.

    https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html#key-policy-default-allow-administrators
    """
    return [
        iam.PolicyStatement(
            sid="Keys",
            actions=[
                "kms:CancelKeyDeletion",
                "kms:DisableKey",
                "kms:EnableKey",
                "kms:EnableKeyRotation",
                "kms:RotateKeyOnDemand",
                "kms:UpdateKeyDescription",
            ],
            resources=ground.arns("kms", "key/*"),
        ),
        iam.PolicyStatement(
            sid="SeeKeys",
            actions=[
                "kms:DescribeKey",
                "kms:GetKeyPolicy",
                "kms:GetKeyRotationStatus",
                "kms:ListAliases",
                "kms:ListGrants",
                "kms:ListKeyRotations",
                "kms:ListKeys",
            ],
            resources=["*"],
        ),
    ]


def deployment(ground: Ground) -> list[iam.PolicyStatement]:
    """Deploys with the CDK: its roles hand CloudFormation the rights that the templates need, and no more.

    https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-env.html#bootstrapping-env-roles
    """
    roles = [f"arn:aws:iam::{account}:role/cdk-hnb659fds-*-role-{account}-*" for account in ground.accounts]
    return [iam.PolicyStatement(sid="Deploy", actions=["sts:AssumeRole"], resources=roles)]


def in_an_emergency(ground: Ground) -> list[iam.PolicyStatement]:
    """Every job's rights in a stage, the data itself, restoring it, a shell, stuck stacks, and deploying by hand.

    Not an administrator: who may do what stays as deployed, and evidence and keys stay where they are.
    """
    return [
        *sight.bearings(ground),
        *sight.server_logs(ground),
        *settings(ground),
        *messages(ground),
        *database(ground, user=EMERGENCY_USER),
        *deployment(ground),
        *_sessions(ground, "Shell", "SSM-SessionManagerRunShell"),
        iam.PolicyStatement(
            sid="Items",
            actions=[
                "dynamodb:BatchGetItem",
                "dynamodb:DeleteItem",
                "dynamodb:GetItem",
                "dynamodb:PutItem",
                "dynamodb:Query",
                "dynamodb:RestoreTableToPointInTime",
                "dynamodb:Scan",
                "dynamodb:UpdateItem",
            ],
            resources=ground.arns("dynamodb", f"table/{ground.prefix}-*"),
        ),
        iam.PolicyStatement(
            sid="Objects",
            actions=["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:RestoreObject"],
            resources=[f"{arn}/*" for arn in ground.buckets("*")],
        ),
        iam.PolicyStatement(
            sid="ListObjects",
            actions=["s3:ListBucket", "s3:ListBucketVersions"],
            resources=list(ground.buckets("*")),
        ),
        iam.PolicyStatement(
            sid="DataKey",
            actions=["kms:Decrypt", "kms:GenerateDataKey"],
            resources=ground.arns("kms", "key/*"),
            conditions=ground.keys_through("dynamodb", "s3"),
        ),
        iam.PolicyStatement(
            sid="Restore",
            actions=["backup:StartRestoreJob"],
            resources=[
                *ground.arns("rds", "cluster-snapshot:awsbackup:*"),
                *ground.arns("backup", "recovery-point:*"),
            ],
        ),
        iam.PolicyStatement(
            sid="Stacks",
            actions=[
                "cloudformation:CancelUpdateStack",
                "cloudformation:ContinueUpdateRollback",
                "cloudformation:RollbackStack",
            ],
            resources=ground.arns("cloudformation", "stack/{stage}-*/*"),
        ),
        ground.never_elsewhere(),
    ]


def lab(ground: Ground) -> list[iam.PolicyStatement]:
    """Everyday work in an account without customers: try things, by hand and under a name that tells them apart.

    Roles are made under a path of their own, only with the account's permissions boundary, and passed to three services.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html#access_policies_boundaries-delegate
    """
    boundary = f"arn:aws:iam::${{aws:PrincipalAccount}}:policy/{ground.prefix}-boundary"
    own_roles = ground.world_wide("iam", f"role/{LAB}/*")
    return [
        iam.PolicyStatement(
            sid="RolesOnlyWithTheBoundary",
            actions=[
                "iam:AttachRolePolicy",
                "iam:CreateRole",
                "iam:DeleteRolePolicy",
                "iam:DetachRolePolicy",
                "iam:PutRolePolicy",
            ],
            resources=own_roles,
            conditions={"StringEquals": {"iam:PermissionsBoundary": boundary}},
        ),
        iam.PolicyStatement(
            sid="OwnRoles",
            actions=["iam:DeleteRole", "iam:TagRole", "iam:UntagRole", "iam:UpdateRoleDescription"],
            resources=own_roles,
        ),
        iam.PolicyStatement(
            sid="RolesOnlyToServices",
            actions=["iam:PassRole"],
            resources=own_roles,
            conditions={
                "StringEquals": {
                    "iam:PassedToService": [
                        "lambda.amazonaws.com",
                        "scheduler.amazonaws.com",
                        "states.amazonaws.com",
                    ]
                }
            },
        ),
        iam.PolicyStatement(
            sid="Functions",
            actions=[
                "lambda:GetFunction",
                "lambda:InvokeFunction",
                "lambda:PutFunctionConcurrency",
            ],
            resources=ground.arns("lambda", "function:{stage}-*", f"function:{LAB}-*"),
        ),
        iam.PolicyStatement(
            sid="Make",
            actions=[
                "dynamodb:CreateTable",
                "dynamodb:DeleteTable",
                "dynamodb:UpdateTable",
                "dynamodb:UpdateTimeToLive",
                "lambda:CreateFunction",
                "lambda:DeleteFunction",
                "logs:CreateLogGroup",
                "logs:DeleteLogGroup",
                "logs:PutRetentionPolicy",
                "sns:CreateTopic",
                "sns:DeleteTopic",
                "sns:Subscribe",
                "sqs:CreateQueue",
                "sqs:DeleteQueue",
                "sqs:SetQueueAttributes",
                "states:CreateStateMachine",
                "states:DeleteStateMachine",
                "states:StartExecution",
                "states:StopExecution",
                "states:UpdateStateMachine",
            ],
            resources=[
                *ground.arns("dynamodb", f"table/{LAB}-*"),
                *ground.arns("lambda", f"function:{LAB}-*"),
                *ground.arns("logs", f"log-group:/{LAB}/*", f"log-group:/aws/lambda/{LAB}-*"),
                *ground.arns("sns", f"{LAB}-*"),
                *ground.arns("sqs", f"{LAB}-*"),
                *ground.arns("states", f"stateMachine:{LAB}-*", f"execution:{LAB}-*"),
            ],
        ),
        iam.PolicyStatement(
            sid="Items",
            actions=[
                "dynamodb:BatchGetItem",
                "dynamodb:BatchWriteItem",
                "dynamodb:DeleteItem",
                "dynamodb:GetItem",
                "dynamodb:PutItem",
                "dynamodb:Query",
                "dynamodb:Scan",
                "dynamodb:UpdateItem",
            ],
            resources=ground.arns("dynamodb", "table/*"),
        ),
        iam.PolicyStatement(
            sid="Objects",
            actions=["s3:DeleteObject", "s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket", "s3:PutObject"],
            resources=[f"arn:aws:s3:::{ground.prefix}-*", f"arn:aws:s3:::{ground.prefix}-*/*"],
        ),
        iam.PolicyStatement(
            sid="Messages",
            actions=["sns:Publish", "sqs:DeleteMessage", "sqs:PurgeQueue", "sqs:ReceiveMessage", "sqs:SendMessage"],
            resources=[
                *ground.arns("sns", f"{LAB}-*"),
                *ground.arns("sqs", "{stage}-*", f"{LAB}-*"),
            ],
        ),
        iam.PolicyStatement(
            sid="KeysThroughServices",
            actions=["kms:Decrypt", "kms:GenerateDataKey"],
            resources=ground.arns("kms", "key/*"),
            conditions=ground.keys_through("dynamodb", "s3", "sns", "sqs"),
        ),
        *_sessions(ground, "Shell", "SSM-SessionManagerRunShell"),
    ]


def _sessions(ground: Ground, sid: str, document: str) -> list[iam.PolicyStatement]:
    """Sessions on the bastion by one document; naming none does not lead around it.

    https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-sessiondocumentaccesscheck.html
    """
    checked = {"BoolIfExists": {"ssm:SessionDocumentAccessCheck": "true"}}
    return [
        iam.PolicyStatement(
            sid=f"{sid}OnTheBastion",
            actions=["ssm:StartSession"],
            resources=ground.arns("ec2", "instance/*"),
            conditions={"StringEquals": {"ssm:resourceTag/Name": f"{ground.prefix}-bastion"}, **checked},
        ),
        iam.PolicyStatement(
            sid=f"{sid}Document",
            actions=["ssm:StartSession"],
            resources=ground.arns("ssm", f"document/{document}"),
            conditions=checked,
        ),
    ]


def _pass_backup_role(ground: Ground) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        sid="BackupRole",
        actions=["iam:PassRole"],
        resources=[
            f"arn:aws:iam::{account}:role/{ground.prefix}-backup-{stage}" for stage, account in ground.stages.items()
        ],
        conditions={"StringEquals": {"iam:PassedToService": "backup.amazonaws.com"}},
    )
