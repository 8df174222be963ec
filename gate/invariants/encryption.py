"""Encryption at rest: everything that stores anything uses a customer-managed key of the right class."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from assembly import Resource
from gate.control import control
from gate.policies import documents
from gate.schemas import key_properties
from gate.world import World, at, truthy

Path = tuple[str, ...]

KEY_AT: Mapping[str, tuple[Path, ...]] = {
    "AWS::SNS::Topic": (("KmsMasterKeyId",),),
    "AWS::SQS::Queue": (("KmsMasterKeyId",),),
    "AWS::Logs::LogGroup": (("KmsKeyId",),),
    "AWS::DynamoDB::Table": (("SSESpecification", "KMSMasterKeyId"),),
    "AWS::RDS::DBCluster": (("KmsKeyId",), ("MasterUserSecret", "KmsKeyId")),
    "AWS::SecretsManager::Secret": (("KmsKeyId",),),
    "AWS::EC2::Volume": (("KmsKeyId",),),
    "AWS::CloudTrail::Trail": (("KMSKeyId",),),
    "AWS::Backup::BackupVault": (("EncryptionKeyArn",),),
    "AWS::Backup::LogicallyAirGappedBackupVault": (("EncryptionKeyArn",),),
    "AWS::Kinesis::Stream": (("StreamEncryption", "KeyId"),),
    "AWS::KinesisFirehose::DeliveryStream": (("DeliveryStreamEncryptionConfigurationInput", "KeyARN"),),
    "AWS::EFS::FileSystem": (("KmsKeyId",),),
    "AWS::ECR::Repository": (("EncryptionConfiguration", "KmsKey"),),
    "AWS::StepFunctions::StateMachine": (("EncryptionConfiguration", "KmsKeyId"),),
    "AWS::StepFunctions::Activity": (("EncryptionConfiguration", "KmsKeyId"),),
    "AWS::Synthetics::Canary": (("ArtifactConfig", "S3Encryption", "KmsKeyArn"),),
    "AWS::Athena::WorkGroup": (("WorkGroupConfiguration", "ResultConfiguration", "EncryptionConfiguration", "KmsKey"),),
    "AWS::OpenSearchService::Domain": (("EncryptionAtRestOptions", "KmsKeyId"),),
    "AWS::CodeBuild::Project": (("EncryptionKey",),),
    "AWS::CodeArtifact::Domain": (("EncryptionKey",),),
    "AWS::ElastiCache::ReplicationGroup": (("KmsKeyId",),),
    "AWS::Redshift::Cluster": (("KmsKeyId",),),
    "AWS::Neptune::DBCluster": (("KmsKeyId",),),
    "AWS::DocDB::DBCluster": (("KmsKeyId",),),
    "AWS::Events::EventBus": (("KmsKeyIdentifier",),),
    "AWS::Pipes::Pipe": (("KmsKeyIdentifier",),),
    "AWS::Cognito::UserPool": (("KeyConfiguration", "KmsKeyArn"),),
}
"""Where each type names its key. A type that is not here is judged by its CloudFormation schema instead."""

SWITCH_AT: Mapping[str, tuple[Path, ...]] = {
    "AWS::DynamoDB::Table": (("SSESpecification", "SSEEnabled"),),
    "AWS::RDS::DBCluster": (("StorageEncrypted",),),
    "AWS::EC2::Volume": (("Encrypted",),),
    "AWS::EFS::FileSystem": (("Encrypted",),),
    "AWS::OpenSearchService::Domain": (
        ("EncryptionAtRestOptions", "Enabled"),
        ("NodeToNodeEncryptionOptions", "Enabled"),
    ),
    "AWS::ElastiCache::ReplicationGroup": (("AtRestEncryptionEnabled",), ("TransitEncryptionEnabled",)),
    "AWS::Redshift::Cluster": (("Encrypted",),),
    "AWS::Neptune::DBCluster": (("StorageEncrypted",),),
    "AWS::DocDB::DBCluster": (("StorageEncrypted",),),
}
"""The switch beside the key: without it the key is ignored."""

CLASS_OF: Mapping[str, frozenset[str]] = {
    "AWS::SNS::Topic": frozenset({"messaging"}),
    "AWS::SQS::Queue": frozenset({"messaging"}),
    "AWS::Logs::LogGroup": frozenset({"logs"}),
    "AWS::KinesisFirehose::DeliveryStream": frozenset({"logs"}),
    "AWS::DynamoDB::Table": frozenset({"data"}),
    "AWS::RDS::DBCluster": frozenset({"data", "secrets"}),
    "AWS::RDS::DBInstance": frozenset({"data"}),
    "AWS::SecretsManager::Secret": frozenset({"secrets"}),
    "AWS::Cognito::UserPool": frozenset({"data"}),
    "AWS::Lambda::Function": frozenset({"secrets"}),
    "AWS::EC2::Instance": frozenset({"data"}),
    "AWS::EC2::LaunchTemplate": frozenset({"data"}),
    "AWS::Backup::BackupVault": frozenset({"backup"}),
    "AWS::Backup::RestoreTestingSelection": frozenset({"data"}),
    "AWS::SSM::Document": frozenset({"data"}),
    "AWS::S3::Bucket": frozenset({"data", "logs"}),
    "AWS::Synthetics::Canary": frozenset({"data", "logs"}),
    "AWS::StepFunctions::StateMachine": frozenset({"messaging"}),
}
"""Which class of stage key protects which type."""

_CLASSES = frozenset({"data", "logs", "secrets", "backup", "messaging"})
_AWS_OWNED = re.compile(r"(^|:)alias/aws/")
_S3_MANAGED_ONLY = frozenset(
    {"logging.s3.amazonaws.com", "logdelivery.elasticloadbalancing.amazonaws.com"},
)
"""Services that deliver only to a bucket with S3-managed encryption.
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html"""


def _is_customer_key(value: Any, near: Resource, world: World) -> bool:
    if not value:
        return False
    if _AWS_OWNED.search(world.text(value, near)):
        return False
    target = world.target(value, near)
    if target is not None:
        return target.type in {"AWS::KMS::Key", "AWS::KMS::Alias", "AWS::KMS::ReplicaKey"}
    text = world.text(value, near)
    return text.startswith(("arn:aws:kms:", "alias/")) or re.fullmatch(r"[0-9a-f-]{36}", text) is not None


def _key_findings(resource: Resource, world: World, paths: tuple[Path, ...]) -> Iterator[str]:
    for path in paths:
        value = at(resource.properties, *path)
        if not _is_customer_key(value, resource, world):
            name = ".".join(path)
            yield f"{name} names no customer-managed key" + (f" (got {world.text(value, resource)})" if value else "")


@control("encryption.store.customer-key", *KEY_AT)
def customer_key(resource: Resource, world: World) -> Iterator[str]:
    """Every store, queue, topic, log group, secret and vault is encrypted with a customer-managed key.

    Fix: name the key of the right class of the same account and region.
    https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#customer-cmk
    """
    paths = KEY_AT[resource.type]
    if resource.type == "AWS::RDS::DBCluster" and not truthy(resource.properties.get("ManageMasterUserPassword")):
        paths = paths[:1]
    if resource.type == "AWS::Synthetics::Canary" and "ArtifactConfig" not in resource.properties:
        # Without it, artifacts take the bucket's own encryption, which storage.bucket.encryption judges.
        return
    if resource.type == "AWS::Synthetics::Canary" and (
        at(resource.properties, "ArtifactConfig", "S3Encryption", "EncryptionMode") != "SSE_KMS"
    ):
        yield "its artifacts are not encrypted with a key of KMS"
    yield from _key_findings(resource, world, paths)
    for path in SWITCH_AT.get(resource.type, ()):
        if not truthy(at(resource.properties, *path)):
            yield f"{'.'.join(path)} is not true"


@control("encryption.any.customer-key")
def any_customer_key(resource: Resource, world: World) -> Iterator[str]:
    """Whatever type can take a customer-managed key takes one: the CloudFormation schema says which can.

    Fix: name a key in the property, or record the reason in gate/exceptions.py.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html
    """
    if resource.type in KEY_AT or resource.type.startswith(("AWS::KMS::", "AWS::S3::", "Custom::")):
        return
    if resource.type == "AWS::Lambda::EventSourceMapping" and "FilterCriteria" not in resource.properties:
        return  # its key would encrypt the filter, and there is none
    if resource.type == "AWS::RDS::DBInstance" and "DBClusterIdentifier" in resource.properties:
        # Instances of a cluster take the cluster's storage key; their own is that of Performance Insights.
        paths: tuple[Path, ...] = (("PerformanceInsightsKMSKeyId",),)
        if truthy(resource.properties.get("EnablePerformanceInsights")):
            yield from _key_findings(resource, world, paths)
        return
    yield from _key_findings(resource, world, key_properties(resource.type))


@control(
    "encryption.volume.customer-key",
    "AWS::EC2::Instance",
    "AWS::EC2::LaunchTemplate",
    "AWS::AutoScaling::LaunchConfiguration",
)
def volumes(resource: Resource, world: World) -> Iterator[str]:
    """Every volume of an instance is encrypted with a customer-managed key.

    Fix: give each BlockDeviceMapping Ebs.Encrypted true and Ebs.KmsKeyId.
    https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption.html
    """
    body = resource.properties.get("LaunchTemplateData", resource.properties)
    mappings = body.get("BlockDeviceMappings") or []
    inherited = resource.type == "AWS::EC2::Instance" and "LaunchTemplate" in resource.properties
    if not mappings and not inherited:
        yield "no BlockDeviceMappings, so the root volume takes the image's encryption, which may be none"
    for index, mapping in enumerate(mappings):
        disk = mapping.get("Ebs", {})
        if not truthy(disk.get("Encrypted")):
            yield f"volume {mapping.get('DeviceName', index)} is not encrypted"
        elif not _is_customer_key(disk.get("KmsKeyId"), resource, world):
            yield f"volume {mapping.get('DeviceName', index)} names no customer-managed key"


@control("storage.bucket.encryption", "AWS::S3::Bucket")
def bucket_encryption(bucket: Resource, world: World) -> Iterator[str]:
    """Every bucket encrypts with a customer-managed key and a bucket key, save where a delivering service forbids it.

    Fix: set BucketEncryption to aws:kms with KMSMasterKeyID and BucketKeyEnabled.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
    """
    rules = at(bucket.properties, "BucketEncryption", "ServerSideEncryptionConfiguration", default=[])
    if not rules:
        yield "no default encryption is set"
    for rule in rules:
        default = rule.get("ServerSideEncryptionByDefault", {})
        if default.get("SSEAlgorithm") == "AES256" and (
            _demands_s3_managed(bucket, world) or _replicates_s3_managed(bucket, world)
        ):
            continue
        if default.get("SSEAlgorithm") not in {"aws:kms", "aws:kms:dsse"}:
            yield f"objects are encrypted with {default.get('SSEAlgorithm')}, not with a customer-managed key"
            continue
        if not _is_customer_key(default.get("KMSMasterKeyID"), bucket, world):
            yield "KMSMasterKeyID names no customer-managed key"
        if not truthy(rule.get("BucketKeyEnabled")):
            yield "no bucket key, so each object costs a KMS request and the key's quota bounds the bucket"


def _demands_s3_managed(bucket: Resource, world: World) -> bool:
    for policy in world.pointing_at(bucket, "Bucket", "AWS::S3::BucketPolicy"):
        for document in documents(policy, world):
            for statement in document.statements:
                if statement.allows and _S3_MANAGED_ONLY & set(statement.services):
                    return True
    return False


def _replicates_s3_managed(bucket: Resource, world: World) -> bool:
    """Whether it only takes copies from a bucket that must be S3-managed: a replica keeps its source's encryption.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html
    """
    for source in world.of_type("AWS::S3::Bucket"):
        for rule in at(source.properties, "ReplicationConfiguration", "Rules", default=[]):
            target = world.target(at(rule, "Destination", "Bucket"), source)
            if target is not None and (target.stack, target.logical_id) == (bucket.stack, bucket.logical_id):
                if _demands_s3_managed(source, world):
                    return True
    return False


@control("encryption.store.key-class", *CLASS_OF)
def key_class(resource: Resource, world: World) -> Iterator[str]:
    """Each class of data is encrypted with the key of its class, so that use of one key opens nothing of another class.

    Fix: pass the key whose alias ends in the class: data, logs, secrets, backup or messaging.
    https://docs.aws.amazon.com/wellarchitected/latest/security-pillar/sec_protect_data_rest_key_mgmt.html
    """
    wanted = CLASS_OF[resource.type]
    properties = {
        name: value
        for name, value in resource.properties.items()
        if name
        not in {
            "Environment",
            "ReplicationConfiguration",
            "Tags",
            "UserData",
            "DefinitionSubstitutions",
            "DefinitionString",
        }
    }
    for key in world.targets(properties, resource):
        if key.type != "AWS::KMS::Key":
            continue
        alias = world.aliases.get((key.stack, key.logical_id), "")
        used = alias.rsplit("/", 1)[-1]
        if used in _CLASSES and used not in wanted:
            yield f"it is encrypted with the {used} key; {' or '.join(sorted(wanted))} is meant for it"
    if resource.type == "AWS::RDS::DBCluster":
        for path, expected in ((("KmsKeyId",), "data"), (("MasterUserSecret", "KmsKeyId"), "secrets")):
            found = world.target(at(resource.properties, *path), resource)
            used = "" if found is None else world.aliases.get((found.stack, found.logical_id), "").rsplit("/", 1)[-1]
            if used in _CLASSES and used != expected:
                yield f"{'.'.join(path)} is the {used} key; {expected} is meant for it"


@control("encryption.store.key-place")
def key_place(resource: Resource, world: World) -> Iterator[str]:
    """A key belongs to the account and region of what it encrypts, save in evidence that crosses accounts by design.

    Fix: use the key of the same stage and region, or the archive's key by its alias ARN.
    https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html
    """
    if resource.type not in CLASS_OF and resource.type not in KEY_AT:
        return
    here = world.stack(resource)
    for path in KEY_AT.get(resource.type, ()):
        value = at(resource.properties, *path)
        text = world.text(value, resource) if value else ""
        found = re.match(r"arn:aws:kms:([^:]*):(\d{12}):", text)
        if not found or resource.type == "AWS::CloudTrail::Trail":
            continue
        if found[2] != here.account or found[1] != here.region:
            yield f"{'.'.join(path)} is a key of {found[2]} in {found[1]}, but it lives in {here.account}, {here.region}"
