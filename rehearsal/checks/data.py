"""Databases, tables, secrets."""

from __future__ import annotations

from typing import Any

from rehearsal.checks import Resource, View, check, described, refused


def _cluster(rds: Any, resource: Resource, _view: View) -> Any:
    found = rds.describe_db_clusters(DBClusterIdentifier=resource.id)["DBClusters"][0]
    return {
        **found,
        "DBClusterParameterGroupName": found.get("DBClusterParameterGroup"),
        "DBSubnetGroupName": found.get("DBSubnetGroup"),
        "VpcSecurityGroupIds": [group["VpcSecurityGroupId"] for group in found.get("VpcSecurityGroups", [])],
        "EnableCloudwatchLogsExports": found.get("EnabledCloudwatchLogsExports"),
        "EnableIAMDatabaseAuthentication": found.get("IAMDatabaseAuthenticationEnabled"),
        "PerformanceInsightsKmsKeyId": found.get("PerformanceInsightsKMSKeyId"),
        "ManageMasterUserPassword": bool(found.get("MasterUserSecret")),
        "Tags": found.get("TagList"),
    }


def _instance(rds: Any, resource: Resource, _view: View) -> Any:
    found = rds.describe_db_instances(DBInstanceIdentifier=resource.id)["DBInstances"][0]
    return {
        **found,
        "DBSubnetGroupName": found.get("DBSubnetGroup", {}).get("DBSubnetGroupName"),
        "EnablePerformanceInsights": found.get("PerformanceInsightsEnabled"),
        "Tags": found.get("TagList"),
    }


def _parameters(kind: str) -> Any:
    def ask(rds: Any, resource: Resource, _view: View) -> Any:
        name = f"{kind}GroupName"
        operation = "db_cluster_parameter_groups" if "Cluster" in kind else "db_parameter_groups"
        found = getattr(rds, f"describe_{operation}")(**{name: resource.id})[f"{kind}Groups"][0]
        read = "describe_db_cluster_parameters" if "Cluster" in kind else "describe_db_parameters"
        pages = getattr(rds, read)(**{name: resource.id})["Parameters"]
        values = {item["ParameterName"]: item.get("ParameterValue") for item in pages}
        return {**found, "Family": found["DBParameterGroupFamily"], "Parameters": values}

    return ask


def _subnet_group(rds: Any, resource: Resource, _view: View) -> Any:
    found = rds.describe_db_subnet_groups(DBSubnetGroupName=resource.id)["DBSubnetGroups"][0]
    return {**found, "SubnetIds": [subnet["SubnetIdentifier"] for subnet in found["Subnets"]]}


def _table(dynamodb: Any, resource: Resource, _view: View) -> Any:
    found = dynamodb.describe_table(TableName=resource.id)["Table"]
    backups = dynamodb.describe_continuous_backups(TableName=resource.id)["ContinuousBackupsDescription"]
    recovery = backups["PointInTimeRecoveryDescription"]
    lifetime = dynamodb.describe_time_to_live(TableName=resource.id)["TimeToLiveDescription"]
    encryption = found.get("SSEDescription") or {}
    insights = {}
    if resource.properties.get("ContributorInsightsSpecification"):
        status = dynamodb.describe_contributor_insights(TableName=resource.id)["ContributorInsightsStatus"]
        insights = {"ContributorInsightsSpecification": {"Enabled": status in ("ENABLED", "ENABLING")}}
    return {
        **found,
        **insights,
        "BillingMode": found.get("BillingModeSummary", {}).get("BillingMode"),
        "PointInTimeRecoverySpecification": {
            "PointInTimeRecoveryEnabled": recovery["PointInTimeRecoveryStatus"] == "ENABLED",
            "RecoveryPeriodInDays": recovery.get("RecoveryPeriodInDays"),
        },
        "SSESpecification": {
            "SSEEnabled": encryption.get("Status") == "ENABLED",
            "SSEType": encryption.get("SSEType"),
            "KMSMasterKeyId": encryption.get("KMSMasterKeyArn"),
        },
        "TimeToLiveSpecification": {
            "Enabled": lifetime.get("TimeToLiveStatus") == "ENABLED",
            "AttributeName": lifetime.get("AttributeName"),
        },
        "Tags": dynamodb.list_tags_of_resource(ResourceArn=found["TableArn"])["Tags"],
    }


def _rotation(secrets: Any, resource: Resource, _view: View) -> Any:
    found = secrets.describe_secret(SecretId=resource.properties["SecretId"])
    if found.get("DeletedDate") or not found.get("RotationEnabled"):
        raise LookupError(resource.id)
    return {**found, "SecretId": found["ARN"]}


def _secret(secrets: Any, resource: Resource, _view: View) -> Any:
    found = secrets.describe_secret(SecretId=resource.id)
    return None if found.get("DeletedDate") else found


def _attachment(secrets: Any, resource: Resource, view: View) -> Any:
    found = _secret(secrets, resource, view)
    return {"SecretId": resource.properties["SecretId"], "TargetId": resource.properties["TargetId"]} if found else None


described("AWS::RDS::DBCluster", "rds", _cluster)
described("AWS::RDS::DBInstance", "rds", _instance)
described("AWS::RDS::DBClusterParameterGroup", "rds", _parameters("DBClusterParameter"))
described("AWS::RDS::DBParameterGroup", "rds", _parameters("DBParameter"))
described("AWS::RDS::DBSubnetGroup", "rds", _subnet_group)
described("AWS::DynamoDB::Table", "dynamodb", _table)
described("AWS::SecretsManager::Secret", "secretsmanager", _secret)
described("AWS::SecretsManager::RotationSchedule", "secretsmanager", _rotation)
described("AWS::SecretsManager::SecretTargetAttachment", "secretsmanager", _attachment)


@check("AWS::DynamoDB::Table", says="refuses deletion where it is protected")
def refuses_deletion(resource: Resource, view: View) -> None:
    if str(resource.properties.get("DeletionProtectionEnabled")).lower() != "true":
        return
    refused(lambda: view.client("dynamodb", resource).delete_table(TableName=resource.id), because="protect")


@check("AWS::RDS::DBCluster", says="refuses deletion where it is protected")
def cluster_refuses_deletion(resource: Resource, view: View) -> None:
    if str(resource.properties.get("DeletionProtection")).lower() != "true":
        return
    rds = view.client("rds", resource)
    refused(lambda: rds.delete_db_cluster(DBClusterIdentifier=resource.id, SkipFinalSnapshot=True), because="protect")
