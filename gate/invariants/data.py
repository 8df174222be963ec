"""Databases and tables: recoverable, authenticated, encrypted in transit, and never deleted by accident."""

from __future__ import annotations

from collections.abc import Iterator

from assembly import Resource
from gate.control import control
from gate.world import World, at, truthy

STATEFUL = frozenset(
    {
        "AWS::S3::Bucket",
        "AWS::DynamoDB::Table",
        "AWS::DynamoDB::GlobalTable",
        "AWS::RDS::DBCluster",
        "AWS::RDS::DBInstance",
        "AWS::KMS::Key",
        "AWS::KMS::ReplicaKey",
        "AWS::SecretsManager::Secret",
        "AWS::Backup::BackupVault",
        "AWS::EFS::FileSystem",
        "AWS::OpenSearchService::Domain",
        "AWS::Kinesis::Stream",
        "AWS::ECR::Repository",
        "AWS::Cognito::UserPool",
        "AWS::EC2::EIP",
        "AWS::Neptune::DBCluster",
        "AWS::DocDB::DBCluster",
        "AWS::Redshift::Cluster",
        "AWS::Route53::HostedZone",
        "AWS::Organizations::Account",
        "AWS::Organizations::OrganizationalUnit",
    }
)
"""Types that hold what cannot be made again: data, keys, evidence, and addresses that others have allowed."""

_PROTECTED_BY_STACK = STATEFUL - {"AWS::RDS::DBInstance"}


@control("data.stateful.retained", *STATEFUL)
def retained(resource: Resource, _world: World) -> Iterator[str]:
    """What holds data survives its stack and its own replacement.

    Fix: set DeletionPolicy and UpdateReplacePolicy to Retain (Snapshot for databases).
    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html
    """
    keeping = (
        {"Retain", "Snapshot"}
        if resource.type.startswith(("AWS::RDS", "AWS::Redshift", "AWS::Neptune", "AWS::DocDB"))
        else {"Retain"}
    )
    if resource.type == "AWS::RDS::DBInstance" and "DBClusterIdentifier" in resource.properties:
        return  # an instance of a cluster holds nothing; the cluster's volume does
    for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
        got = resource.definition.get(policy)
        if got not in keeping:
            yield f"{policy} is {got or 'not set'}, so its data goes when it does"


@control("data.stateful.termination-protection", *_PROTECTED_BY_STACK)
def termination_protection(resource: Resource, world: World) -> Iterator[str]:
    """A stack that holds data refuses deletion until its protection is lifted by hand.

    Fix: make the stack stateful=True, which sets termination protection.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-protect-stacks.html
    """
    if not world.stack(resource).termination_protection:
        yield f"stack {resource.stack} holds it and may be deleted at once"


@control("data.database.protection", "AWS::RDS::DBCluster", "AWS::RDS::DBInstance")
def database_protection(database: Resource, world: World) -> Iterator[str]:
    """A database refuses deletion, and keeps backups and point-in-time recovery for 35 days, tagged like itself.

    Fix: set DeletionProtection, BackupRetentionPeriod 35 and CopyTagsToSnapshot.
    https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Aurora.Managing.Backups.html
    """
    if database.type == "AWS::RDS::DBInstance" and "DBClusterIdentifier" in database.properties:
        return
    if not truthy(database.properties.get("DeletionProtection")):
        yield "DeletionProtection is off"
    days = int(database.properties.get("BackupRetentionPeriod", 1))
    if days < 7:
        yield f"point-in-time recovery reaches back {days} days only"
    if not truthy(database.properties.get("CopyTagsToSnapshot")):
        yield "snapshots carry no tags, so backup plans and cost reports miss them"


@control("data.database.backup-window", "AWS::RDS::DBCluster")
def database_backup_window(database: Resource, world: World) -> Iterator[str]:
    """Every database of a deployment is recoverable for the same time, so that none is the weak one.

    Fix: take BackupRetentionPeriod from the deployment's retention.
    https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Aurora.Managing.Backups.html
    """
    days = int(database.properties.get("BackupRetentionPeriod", 1))
    longest = max(
        (int(other.properties.get("BackupRetentionPeriod", 1)) for other in world.of_type("AWS::RDS::DBCluster")),
        default=days,
    )
    if days < longest:
        yield f"it is recoverable for {days} days, another database of the deployment for {longest}"


@control("data.database.private", "AWS::RDS::DBInstance", "AWS::RDS::DBCluster")
def database_private(database: Resource, _world: World) -> Iterator[str]:
    """No database has a public address.

    Fix: set PubliclyAccessible to false.
    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_VPC.WorkingWithRDSInstanceinaVPC.html
    """
    if truthy(database.properties.get("PubliclyAccessible")):
        yield "it has a public address"
    if database.type == "AWS::RDS::DBInstance" and database.properties.get("PubliclyAccessible") is None:
        yield "PubliclyAccessible is not set, and its default depends on the subnets"
    in_cluster = database.type == "AWS::RDS::DBInstance" and "DBClusterIdentifier" in database.properties
    if "DBSubnetGroupName" not in database.properties and not in_cluster:
        yield "it is in no subnet group, so AWS puts it into the default VPC"


@control("data.database.identity", "AWS::RDS::DBCluster")
def database_identity(database: Resource, _world: World) -> Iterator[str]:
    """People and programs sign in with short-lived IAM tokens; the master password is made, kept and rotated by AWS.

    Fix: set EnableIAMDatabaseAuthentication and ManageMasterUserPassword, and give no MasterUserPassword.
    https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/rds-secrets-manager.html
    """
    if not truthy(database.properties.get("EnableIAMDatabaseAuthentication")):
        yield "IAM authentication is off"
    if not truthy(database.properties.get("ManageMasterUserPassword")):
        yield "the master password is not managed and rotated by AWS"
    if "MasterUserPassword" in database.properties:
        yield "a master password is given in the template"


@control("data.database.names", "AWS::RDS::DBCluster", "AWS::RDS::DBInstance")
def database_names(database: Resource, _world: World) -> Iterator[str]:
    """No database answers on the port or to the master name that every scanner tries first.

    Fix: give Port and MasterUsername values of your own.
    https://docs.aws.amazon.com/securityhub/latest/userguide/rds-controls.html
    """
    if database.type == "AWS::RDS::DBInstance" and "DBClusterIdentifier" in database.properties:
        return
    if str(database.properties.get("Port", "5432")) in {"5432", "3306", "1433", "1521"}:
        yield f"it listens on the default port {database.properties.get('Port', '')}".rstrip()
    if str(database.properties.get("MasterUsername", "")) in {"", "postgres", "admin", "root", "master"}:
        yield f"its master user is called {database.properties.get('MasterUsername', 'by default')}"


_PARAMETERS = {
    "rds.force_ssl": {"1"},
    "pgaudit.log": {"all", "ddl,write,role", "ddl,role,write", "all,-misc"},
    "shared_preload_libraries": None,
    "log_connections": {"1"},
    "log_disconnections": {"1"},
}


@control("data.database.parameters", "AWS::RDS::DBCluster")
def database_parameters(database: Resource, world: World) -> Iterator[str]:
    """PostgreSQL refuses plaintext connections and writes an audit log of sessions and changes.

    Fix: set rds.force_ssl, log_connections, log_disconnections, shared_preload_libraries with pgaudit, and pgaudit.log.
    https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/AuroraPostgreSQL.Security.html
    """
    if "postgres" not in str(database.properties.get("Engine", "")):
        return
    group = world.target(database.properties.get("DBClusterParameterGroupName"), database)
    if group is None:
        yield "it uses AWS's default parameters"
        return
    parameters = {name: str(value) for name, value in group.properties.get("Parameters", {}).items()}
    if parameters.get("rds.force_ssl") not in {"1", "on"}:
        yield "rds.force_ssl is not 1, so it accepts plaintext connections"
    if "md5" in parameters.get("rds.accepted_password_auth_method", "md5+scram"):
        yield "rds.accepted_password_auth_method is not scram, so passwords may be sent as MD5"
    if parameters.get("ssl_min_protocol_version") not in {"TLSv1.2", "TLSv1.3"}:
        yield "ssl_min_protocol_version is not stated as TLSv1.2 or TLSv1.3"
    if "pgaudit" not in parameters.get("shared_preload_libraries", ""):
        yield "pgaudit is not loaded"
    if parameters.get("pgaudit.log", "none").lower() == "none":
        yield "pgaudit.log records nothing"
    if parameters.get("pgaudit.role") == "" or parameters.get("pgaudit.log_parameter") == "1":
        yield "pgaudit writes the parameters of statements, which hold personal data, into the log"
    for name in ("log_connections", "log_disconnections"):
        if parameters.get(name) not in {"1", "on"}:
            yield f"{name} is not 1"


@control("data.database.logs", "AWS::RDS::DBCluster")
def database_logs(database: Resource, _world: World) -> Iterator[str]:
    """The database's log leaves the database, and its performance is watched.

    Fix: list postgresql in EnableCloudwatchLogsExports and set PerformanceInsightsEnabled on the cluster or instances.
    https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/USER_LogAccess.Procedural.UploadtoCloudWatch.html
    """
    exports = database.properties.get("EnableCloudwatchLogsExports") or []
    wanted = "postgresql" if "postgres" in str(database.properties.get("Engine", "")) else "audit"
    if wanted not in exports:
        yield f"its {wanted} log stays inside"
    if "aurora-postgresql" in str(database.properties.get("Engine", "")):
        for name in ("iam-db-auth-error", "instance"):
            if name not in exports:
                yield f"its {name} log stays inside"
    if not truthy(database.properties.get("PerformanceInsightsEnabled")):
        yield "Performance Insights is off for the cluster"


@control("data.database.insights", "AWS::RDS::DBInstance")
def database_insights(instance: Resource, world: World) -> Iterator[str]:
    """Performance Insights is on for each instance, and minor versions arrive by themselves.

    Fix: set EnablePerformanceInsights and AutoMinorVersionUpgrade.
    https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/USER_PerfInsights.Enabling.html
    """
    if not truthy(instance.properties.get("EnablePerformanceInsights")):
        yield "Performance Insights is off"
    if instance.properties.get("AutoMinorVersionUpgrade") in {False, "false"}:
        yield "minor versions, which carry security fixes, do not arrive by themselves"


@control("data.table.recovery", "AWS::DynamoDB::Table")
def table_recovery(table: Resource, _world: World) -> Iterator[str]:
    """A table can be restored to any second of at least the last week, and refuses deletion.

    Fix: set PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled and DeletionProtectionEnabled.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Point-in-time-recovery.html
    """
    recovery = table.properties.get("PointInTimeRecoverySpecification", {})
    if not truthy(recovery.get("PointInTimeRecoveryEnabled")):
        yield "point-in-time recovery is off"
    elif int(recovery.get("RecoveryPeriodInDays", 35)) < 7:
        yield f"point-in-time recovery reaches back {recovery['RecoveryPeriodInDays']} days only"
    if not truthy(table.properties.get("DeletionProtectionEnabled")):
        yield "deletion protection is off"


@control("data.table.expiry", "AWS::DynamoDB::Table")
def table_expiry(table: Resource, _world: World) -> Iterator[str]:
    """A table that declares an expiry really expires.

    Fix: set TimeToLiveSpecification with Enabled true.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html
    """
    ttl = table.properties.get("TimeToLiveSpecification")
    if ttl is None:
        yield "its items never expire"
    elif not truthy(ttl.get("Enabled")) or not ttl.get("AttributeName"):
        yield "its expiry is off"


@control("data.global-table.protection", "AWS::DynamoDB::GlobalTable")
def global_table(table: Resource, _world: World) -> Iterator[str]:
    """Every replica of a global table is encrypted with a customer key, recoverable and protected.

    Fix: set SSESpecification, and in each replica the key, point-in-time recovery and deletion protection.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GlobalTables.html
    """
    if not truthy(at(table.properties, "SSESpecification", "SSEEnabled")):
        yield "encryption with a customer key is off"
    for replica in table.properties.get("Replicas", []):
        region = replica.get("Region")
        if not at(replica, "SSESpecification", "KMSMasterKeyId"):
            yield f"the replica in {region} names no customer-managed key"
        if not truthy(at(replica, "PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled")):
            yield f"the replica in {region} has no point-in-time recovery"
        if not truthy(replica.get("DeletionProtectionEnabled")):
            yield f"the replica in {region} has no deletion protection"


@control("data.secret.rotation", "AWS::SecretsManager::Secret")
def secret_rotation(secret: Resource, world: World) -> Iterator[str]:
    """Every secret that this deployment makes rotates by itself at least every 90 days.

    Fix: add a RotationSchedule of at most 90 days.
    https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets.html
    """
    schedules = list(world.pointing_at(secret, "SecretId", "AWS::SecretsManager::RotationSchedule"))
    if not schedules:
        yield "nothing rotates it"
    for schedule in schedules:
        days = at(schedule.properties, "RotationRules", "AutomaticallyAfterDays")
        expression = str(at(schedule.properties, "RotationRules", "ScheduleExpression", default=""))
        if days is None and expression.startswith("rate("):
            amount, unit = expression.removeprefix("rate(").rstrip(")").split()
            days = float(amount) * {"hour": 1 / 24, "hours": 1 / 24, "day": 1, "days": 1}[unit]
        if days is None and not expression:
            yield "its rotation has no schedule"
        elif days is not None and float(days) > 90:
            yield f"it rotates every {days} days only"


@control("data.search.private", "AWS::OpenSearchService::Domain")
def search_private(domain: Resource, _world: World) -> Iterator[str]:
    """A search domain sits in the network, speaks TLS 1.2 or newer and logs who asked what.

    Fix: set VPCOptions, DomainEndpointOptions with EnforceHTTPS and TLSSecurityPolicy, and audit logs.
    https://docs.aws.amazon.com/opensearch-service/latest/developerguide/security.html
    """
    if "VPCOptions" not in domain.properties:
        yield "its endpoint is public"
    options = domain.properties.get("DomainEndpointOptions", {})
    if not truthy(options.get("EnforceHTTPS")) or "1-2" not in str(options.get("TLSSecurityPolicy")):
        yield "it accepts plaintext or old TLS"
    if not truthy(at(domain.properties, "LogPublishingOptions", "AUDIT_LOGS", "Enabled")):
        yield "audit logs are off"
