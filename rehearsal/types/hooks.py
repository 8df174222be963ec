"""Other properties that ministack's CloudFormation drops: applied through the service's API."""

from __future__ import annotations

import json
import secrets

from rehearsal.emulator.spec import Context, Props, hook, true
from rehearsal.emulator.tracker import plain


@hook("AWS::DynamoDB::Table")
def table(context: Context, identity: str, props: Props) -> None:
    """Point-in-time recovery, the key and the attribute that ends an item."""
    dynamodb = context.client("dynamodb")
    recovery = props.get("PointInTimeRecoverySpecification") or {}
    if recovery and true(recovery.get("PointInTimeRecoveryEnabled")):
        wanted: Props = {"PointInTimeRecoveryEnabled": True}
        if recovery.get("RecoveryPeriodInDays"):
            wanted["RecoveryPeriodInDays"] = int(recovery["RecoveryPeriodInDays"])
        dynamodb.update_continuous_backups(TableName=identity, PointInTimeRecoverySpecification=wanted)
    insights = props.get("ContributorInsightsSpecification")
    if insights:
        action = "ENABLE" if true(insights.get("Enabled")) else "DISABLE"
        dynamodb.update_contributor_insights(TableName=identity, ContributorInsightsAction=action)
    encryption = props.get("SSESpecification")
    if encryption:
        wanted = {"Enabled": true(encryption.get("SSEEnabled")), "SSEType": encryption.get("SSEType", "KMS")}
        if encryption.get("KMSMasterKeyId"):
            wanted["KMSMasterKeyId"] = encryption["KMSMasterKeyId"]
        dynamodb.update_table(TableName=identity, SSESpecification=wanted)
    lifetime = props.get("TimeToLiveSpecification")
    if lifetime and true(lifetime.get("Enabled")):
        attribute = lifetime["AttributeName"]
        current = dynamodb.describe_time_to_live(TableName=identity)["TimeToLiveDescription"]
        if (current.get("TimeToLiveStatus"), current.get("AttributeName")) != ("ENABLED", attribute):
            dynamodb.update_time_to_live(
                TableName=identity, TimeToLiveSpecification={"Enabled": True, "AttributeName": attribute}
            )


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
    """Reserved concurrency, the key of the environment, dead letters and the network."""
    wanted: Props = {}
    if props.get("KmsKeyArn"):
        wanted["KMSKeyArn"] = props["KmsKeyArn"]
    if props.get("DeadLetterConfig"):
        wanted["DeadLetterConfig"] = dict(props["DeadLetterConfig"])
    network = props.get("VpcConfig")
    if network:
        wanted["VpcConfig"] = {
            name: value for name, value in dict(network).items() if name != "Ipv6AllowedForDualStack"
        }
    if wanted:
        context.client("lambda").update_function_configuration(FunctionName=identity, **wanted)
    if props.get("ReservedConcurrentExecutions") is not None:
        context.client("lambda").put_function_concurrency(
            FunctionName=identity, ReservedConcurrentExecutions=int(props["ReservedConcurrentExecutions"])
        )


@hook("AWS::RDS::DBCluster")
def cluster(_context: Context, identity: str, props: Props) -> Props | None:
    """Key, parameter group, log exports, insights, tags, and the secret that RDS manages."""
    from ministack.services import rds, secretsmanager

    record = rds._clusters[identity]
    for name, kept in (
        ("KmsKeyId", "KmsKeyId"),
        ("DBClusterParameterGroupName", "DBClusterParameterGroup"),
        ("EnableCloudwatchLogsExports", "EnabledCloudwatchLogsExports"),
        ("PerformanceInsightsEnabled", "PerformanceInsightsEnabled"),
        ("PerformanceInsightsKmsKeyId", "PerformanceInsightsKMSKeyId"),
        ("PerformanceInsightsRetentionPeriod", "PerformanceInsightsRetentionPeriod"),
        ("DatabaseInsightsMode", "DatabaseInsightsMode"),
    ):
        if name in props:
            record[kept] = plain(props[name])
    record["TagList"] = [dict(tag) for tag in props.get("Tags") or []]
    if true(props.get("ManageMasterUserPassword")) and not record.get("MasterUserSecret"):
        secret = props.get("MasterUserSecret") or {}
        login = json.dumps({"username": props.get("MasterUsername"), "password": secrets.token_urlsafe(24)})
        arn = secretsmanager.create_secret_in_process(f"rds!cluster-{identity}", login, description="managed by RDS")
        record["MasterUserSecret"] = {
            "SecretArn": arn,
            "SecretStatus": "active",
            "KmsKeyId": secret.get("KmsKeyId", ""),
        }
    managed = record.get("MasterUserSecret")
    return {"MasterUserSecret.SecretArn": managed["SecretArn"]} if managed else None


@hook("AWS::RDS::DBInstance")
def instance(_context: Context, identity: str, props: Props) -> None:
    """Certificate authority and the key of Performance Insights."""
    from ministack.services import rds

    record = rds._instances[identity]
    for name in ("CACertificateIdentifier", "PerformanceInsightsKMSKeyId", "PerformanceInsightsRetentionPeriod"):
        if name in props:
            record[name] = props[name]


@hook("AWS::SNS::Subscription")
def subscription(context: Context, identity: str, props: Props) -> None:
    """Dead letters and raw delivery."""
    sns = context.client("sns")
    for name in ("RedrivePolicy", "RawMessageDelivery"):
        if props.get(name) is not None:
            value = props[name]
            text = json.dumps(dict(value)) if isinstance(value, dict) else str(value).lower()
            sns.set_subscription_attributes(SubscriptionArn=identity, AttributeName=name, AttributeValue=text)


@hook("AWS::Events::EventBus")
def event_bus(_context: Context, identity: str, props: Props) -> None:
    """Key, dead letters, and who may put events on it."""
    from ministack.services import eventbridge

    record = eventbridge._event_buses[identity]
    for name in ("KmsKeyIdentifier", "DeadLetterConfig"):
        if name in props:
            record[name] = plain(props[name])
    if props.get("Policy"):
        eventbridge._event_bus_policies[identity] = plain(props["Policy"])


@hook("AWS::StepFunctions::StateMachine")
def machine(_context: Context, identity: str, props: Props) -> None:
    """Tracing, and the log configuration in the words of the service."""
    from ministack.services import stepfunctions

    record = stepfunctions._state_machines[identity]
    logs = props.get("LoggingConfiguration") or {}
    record["loggingConfiguration"] = {
        "level": logs.get("Level", "OFF"),
        "includeExecutionData": true(logs.get("IncludeExecutionData", False)),
        "destinations": [
            {"cloudWatchLogsLogGroup": {"logGroupArn": one["CloudWatchLogsLogGroup"]["LogGroupArn"]}}
            for one in logs.get("Destinations") or []
        ],
    }
    record["tracingConfiguration"] = {"enabled": true((props.get("TracingConfiguration") or {}).get("Enabled", False))}
