"""A rotating customer-managed key whose administration and use are kept apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from constructs import Construct

ADMINISTRATION = [
    "kms:CancelKeyDeletion",
    "kms:CreateAlias",
    "kms:Delete*",
    "kms:Describe*",
    "kms:Disable*",
    "kms:Enable*",
    "kms:Get*",
    "kms:List*",
    "kms:Put*",
    "kms:Revoke*",
    "kms:RotateKeyOnDemand",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:Update*",
]
USE = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]


class CustomerKey(Construct):
    """A key that only the named services, and principals of this account working through them, can use.

    Rotates every year; deletion takes 30 days; the stack never deletes it. Administrators (roles whose names say so)
    are refused every use of the key, whatever their other permissions.

    ``used_through`` are service names such as ``s3`` or ``dynamodb``: IAM policies of this account may grant use of the
    key, but only for requests that arrive through one of them. Grants are made by AWS services only.

    https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
    https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, alias: str, description: str, used_through: Sequence[str]
    ) -> None:
        super().__init__(scope, construct_id)
        stack = cdk.Stack.of(self)
        self._account, self._region = stack.account, stack.region
        self.resource = kms.Key(
            self,
            "Resource",
            alias=alias,
            description=description,
            enable_key_rotation=True,
            rotation_period=cdk.Duration.days(365),
            pending_window=cdk.Duration.days(30),
            removal_policy=cdk.RemovalPolicy.RETAIN,
            policy=iam.PolicyDocument(
                statements=[
                    iam.PolicyStatement(
                        sid="AdministrationByIamOfThisAccount",
                        principals=[iam.AccountRootPrincipal()],
                        actions=ADMINISTRATION,
                        resources=["*"],
                    ),
                    # A grant that anybody could make for anybody would lead around every condition below.
                    iam.PolicyStatement(
                        sid="GrantsOnlyForServices",
                        principals=[iam.AccountRootPrincipal()],
                        actions=["kms:CreateGrant"],
                        resources=["*"],
                        conditions={"Bool": {"kms:GrantIsForAWSResource": "true"}},
                    ),
                    iam.PolicyStatement(
                        sid="UseByIamOfThisAccountThroughServices",
                        principals=[iam.AccountRootPrincipal()],
                        actions=USE,
                        resources=["*"],
                        conditions={
                            "StringEquals": {
                                "kms:CallerAccount": self._account,
                                "kms:ViaService": [f"{name}.{self._region}.amazonaws.com" for name in used_through],
                            }
                        },
                    ),
                    iam.PolicyStatement(
                        sid="AdministratorsNeverUse",
                        effect=iam.Effect.DENY,
                        principals=[iam.AnyPrincipal()],
                        actions=[action for action in USE if action != "kms:DescribeKey"] + ["kms:CreateGrant"],
                        resources=["*"],
                        conditions={
                            "ArnLike": {
                                # The asterisk covers paths too, such as that of Identity Center's roles.
                                "aws:PrincipalArn": f"arn:aws:iam::{self._account}:role/*key-administrator*"
                            }
                        },
                    ),
                ]
            ),
        )

    @property
    def key(self) -> kms.IKey:
        """The key, to encrypt things with."""
        return self.resource

    @property
    def arn(self) -> str:
        """The key's ARN."""
        return self.resource.key_arn

    def allow_service(
        self,
        service: str,
        *,
        sid: str,
        conditions: Mapping[str, object],
        actions: Sequence[str] = ("kms:Decrypt", "kms:GenerateDataKey*"),
    ) -> None:
        """Let the service principal ``service`` use the key under ``conditions``.

        Raises:
            ValueError: without conditions, because any customer of that service could then make it use this key.
        """
        if not conditions:
            raise ValueError(
                f"{self.node.path}: {service} needs at least one condition, such as aws:SourceAccount. "
                "Without one it would use this key on behalf of other accounts."
            )
        self.resource.add_to_resource_policy(
            iam.PolicyStatement(
                sid=sid,
                principals=[iam.ServicePrincipal(service)],
                actions=list(actions),
                resources=["*"],
                conditions=dict(conditions),
            )
        )

    def allow_log_groups(self) -> None:
        """Let CloudWatch Logs of this account and region encrypt log groups.

        https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
        """
        self.allow_service(
            f"logs.{self._region}.amazonaws.com",
            sid="LogGroups",
            actions=("kms:Decrypt*", "kms:Describe*", "kms:Encrypt*", "kms:GenerateDataKey*", "kms:ReEncrypt*"),
            conditions={
                "ArnLike": {
                    "kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:{self._region}:{self._account}:log-group:*"
                }
            },
        )

    def allow_alarms_and_events(self) -> None:
        """Let CloudWatch alarms and EventBridge rules publish to encrypted topics, and rules and topics send to queues.

        EventBridge names neither account nor rule to KMS, so it is bound to this account's topics and queues by the
        encryption context that SNS and SQS always give.
        https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services
        """
        self.allow_service(
            "cloudwatch.amazonaws.com",
            sid="AlarmsPublish",
            conditions={"StringEquals": {"aws:SourceAccount": self._account}},
        )
        for sender, sid, context, service in (
            ("events", "EventRulesPublish", "aws:sns:topicArn", "sns"),
            ("events", "EventRulesSend", "aws:sqs:arn", "sqs"),
            ("sns", "TopicsSend", "aws:sqs:arn", "sqs"),
        ):
            self.allow_service(
                f"{sender}.amazonaws.com",
                sid=sid,
                conditions={
                    "ArnLike": {
                        f"kms:EncryptionContext:{context}": f"arn:aws:{service}:{self._region}:{self._account}:*"
                    }
                },
            )

    def allow_state_machines(self) -> None:
        """Let IAM of this account grant use of the key to state machines, and log delivery read what they write.

        A machine calls KMS with its own role; the machine in the encryption context binds it, and the place of its logs does
        for what it hands to log delivery.
        https://docs.aws.amazon.com/step-functions/latest/dg/encryption-at-rest.html
        """
        here = f"{self._region}:{self._account}"
        for sid, actions, context in (
            (
                "StateMachines",
                ["kms:Decrypt", "kms:GenerateDataKey"],
                {"aws:states:stateMachineArn": f"arn:aws:states:{here}:stateMachine:*"},
            ),
            # The context's value ends in this very asterisk, and would not begin so for anything else.
            ("StateMachineLogData", ["kms:GenerateDataKey"], {"SourceArn": f"arn:aws:logs:{here}:*"}),
        ):
            self.resource.add_to_resource_policy(
                iam.PolicyStatement(
                    sid=sid,
                    principals=[iam.AccountRootPrincipal()],
                    actions=actions,
                    resources=["*"],
                    conditions={
                        "StringEquals": {"kms:CallerAccount": self._account},
                        "ArnLike": {f"kms:EncryptionContext:{name}": arn for name, arn in context.items()},
                    },
                )
            )
        self.allow_service(
            "delivery.logs.amazonaws.com",
            sid="StateMachineLogs",
            actions=["kms:Decrypt"],
            conditions={
                # The context's value ends in this very asterisk.
                "StringEquals": {"kms:EncryptionContext:SourceArn": f"arn:aws:logs:{self._region}:{self._account}:*"}
            },
        )

    def allow_backup_roles(self, account: str, *, sid: str, names: Sequence[str] = ()) -> None:
        """Let AWS Backup of ``account``, another account, use the key for copies that come from or go there.

        Besides its service-linked role, ``names`` may be roles that AWS Backup works under there. They stand in a
        condition, because a key policy refuses a principal that does not exist yet.
        https://docs.aws.amazon.com/aws-backup/latest/devguide/create-cross-account-backup.html
        """
        roles = [
            f"arn:aws:iam::{account}:role/{name}"
            for name in ("aws-service-role/backup.amazonaws.com/AWSServiceRoleForBackup", *names)
        ]
        for suffix, actions, conditions in (
            ("", USE, {}),
            ("Grants", ["kms:CreateGrant"], {"Bool": {"kms:GrantIsForAWSResource": "true"}}),
        ):
            self.resource.add_to_resource_policy(
                iam.PolicyStatement(
                    sid=f"{sid}{suffix}",
                    principals=[iam.AccountPrincipal(account)],
                    actions=actions,
                    resources=["*"],
                    conditions={"ArnEquals": {"aws:PrincipalArn": roles}, **conditions},
                )
            )

    def allow_sessions(self) -> None:
        """Let IAM of this account grant use of the key to both ends of a Session Manager session.

        They call KMS themselves, not through a service; the session's id in the encryption context binds them instead.
        https://docs.aws.amazon.com/systems-manager/latest/userguide/session-preferences-enable-encryption.html
        """
        self.resource.add_to_resource_policy(
            iam.PolicyStatement(
                sid="Sessions",
                principals=[iam.AccountRootPrincipal()],
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=["*"],
                conditions={
                    "StringEquals": {"kms:CallerAccount": self._account},
                    "Null": {"kms:EncryptionContext:aws:ssm:SessionId": "false"},
                },
            )
        )

    def allow_auto_scaling(self) -> None:
        """Let EC2 Auto Scaling of this account launch machines whose volumes this key encrypts.

        Its service-linked role is named in a condition, because a key policy refuses a principal that does not exist yet
        and AWS makes the role with the account's first group.
        https://docs.aws.amazon.com/autoscaling/ec2/userguide/key-policy-requirements-EBS-encryption.html
        """
        role = (
            f"arn:aws:iam::{self._account}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
        )
        of_this_account = {"StringEquals": {"aws:PrincipalArn": role, "kms:CallerAccount": self._account}}
        for sid, actions, conditions in (
            ("AutoScaling", USE, {}),
            ("AutoScalingGrants", ["kms:CreateGrant"], {"Bool": {"kms:GrantIsForAWSResource": "true"}}),
        ):
            self.resource.add_to_resource_policy(
                iam.PolicyStatement(
                    sid=sid,
                    principals=[iam.AnyPrincipal()],
                    actions=actions,
                    resources=["*"],
                    conditions={**of_this_account, **conditions},
                )
            )
