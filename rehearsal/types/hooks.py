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
    encryption = props.get("SSESpecification")
    if encryption:
        wanted = {"Enabled": true(encryption.get("SSEEnabled")), "SSEType": encryption.get("SSEType", "KMS")}
        if encryption.get("KMSMasterKeyId"):
            wanted["KMSMasterKeyId"] = encryption["KMSMasterKeyId"]
        dynamodb.update_table(TableName=identity, SSESpecification=wanted)


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


@hook("AWS::RDS::DBCluster")
def cluster(context: Context, identity: str, props: Props) -> None:
    """The key, the parameter group and the secret that RDS manages."""
    from ministack.services import rds

    record = rds._clusters[identity]
    if props.get("KmsKeyId"):
        record["KmsKeyId"] = props["KmsKeyId"]  # ModifyDBCluster cannot, and the handler drops it
    wanted: Props = {}
    if props.get("DBClusterParameterGroupName"):
        wanted["DBClusterParameterGroupName"] = props["DBClusterParameterGroupName"]
    if true(props.get("ManageMasterUserPassword")) and not record.get("MasterUserSecret"):
        wanted["ManageMasterUserPassword"] = True
        secret = props.get("MasterUserSecret") or {}
        if secret.get("KmsKeyId"):
            wanted["MasterUserSecretKmsKeyId"] = secret["KmsKeyId"]
    if wanted:
        context.client("rds").modify_db_cluster(DBClusterIdentifier=identity, ApplyImmediately=True, **wanted)
