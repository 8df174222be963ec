"""Other properties that ministack's CloudFormation drops: applied through the service's API."""

from __future__ import annotations

from rehearsal.emulator.spec import Context, Props, hook, true


@hook("AWS::DynamoDB::Table")
def table(context: Context, identity: str, props: Props) -> None:
    """Point-in-time recovery and the key."""
    dynamodb = context.client("dynamodb")
    recovery = props.get("PointInTimeRecoverySpecification") or {}
    if recovery and true(recovery.get("PointInTimeRecoveryEnabled")):
        wanted: Props = {"PointInTimeRecoveryEnabled": True}
        if recovery.get("RecoveryPeriodInDays"):
            wanted["RecoveryPeriodInDays"] = int(recovery["RecoveryPeriodInDays"])
        dynamodb.update_continuous_backups(TableName=identity, PointInTimeRecoverySpecification=wanted)


@hook("AWS::SNS::Topic")
def topic(context: Context, identity: str, props: Props) -> None:
    """The key."""
    if props.get("KmsMasterKeyId"):
        context.client("sns").set_topic_attributes(
            TopicArn=identity, AttributeName="KmsMasterKeyId", AttributeValue=props["KmsMasterKeyId"]
        )


@hook("AWS::IAM::Role")
def role(context: Context, identity: str, props: Props) -> None:
    """The permissions boundary."""
    if props.get("PermissionsBoundary"):
        context.client("iam").put_role_permissions_boundary(
            RoleName=identity, PermissionsBoundary=props["PermissionsBoundary"]
        )


@hook("AWS::Lambda::Function")
def function(context: Context, identity: str, props: Props) -> None:
    """Reserved concurrency."""
    if props.get("ReservedConcurrentExecutions") is not None:
        context.client("lambda").put_function_concurrency(
            FunctionName=identity, ReservedConcurrentExecutions=int(props["ReservedConcurrentExecutions"])
        )
