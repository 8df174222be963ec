"""At rest: which key encrypts what, of which class, and for whom else.

Source: https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html (customer managed keys)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from proofs.finding import Case, Finding, note, proof
from proofs.model import Model, Node, as_list, at, truthy

KEYS = ("AWS::KMS::Key", "AWS::KMS::ReplicaKey")


@dataclass(frozen=True)
class Use:
    """A place where a resource names the key that encrypts something of it."""

    what: str
    key: Any
    on: bool = True
    """False: encryption is switched off, whatever key is named."""


def _at(*path: str | int, what: str = "contents", switch: tuple[str, ...] = ()) -> Callable[[Node], Iterator[Use]]:
    def uses(node: Node) -> Iterator[Use]:
        yield Use(what, node.get(*path), not switch or truthy(node.get(*switch)))

    return uses


def _bucket(node: Node) -> Iterator[Use]:
    rules = as_list(node.get("BucketEncryption", "ServerSideEncryptionConfiguration"))
    default = at(rules, 0, "ServerSideEncryptionByDefault", default={})
    kms = at(default, "SSEAlgorithm") in {"aws:kms", "aws:kms:dsse"}
    yield Use("objects", at(default, "KMSMasterKeyID") if kms else None)


def _database(node: Node) -> Iterator[Use]:
    if node.type.endswith("::DBInstance") and node.get("DBClusterIdentifier") is not None:
        return
    yield Use("storage", node.get("KmsKeyId"), truthy(node.get("StorageEncrypted")))
    if truthy(node.get("PerformanceInsightsEnabled")):
        yield Use("performance insights", node.get("PerformanceInsightsKmsKeyId"))
    if truthy(node.get("ManageMasterUserPassword")):
        yield Use("master password", node.get("MasterUserSecret", "KmsKeyId"))


def _insights(node: Node) -> Iterator[Use]:
    if truthy(node.get("EnablePerformanceInsights")):
        yield Use("performance insights", node.get("PerformanceInsightsKMSKeyId"))
    if node.get("DBClusterIdentifier") is None:
        yield from _database(node)


def _table(node: Node) -> Iterator[Use]:
    specification = node.get("SSESpecification", default={})
    yield Use("items", at(specification, "KMSMasterKeyId"), truthy(at(specification, "SSEEnabled")))


def _volumes(node: Node) -> Iterator[Use]:
    mappings = node.get("LaunchTemplateData", "BlockDeviceMappings", default=node.get("BlockDeviceMappings"))
    for mapping in as_list(mappings):
        disk = at(mapping, "Ebs")
        if disk is not None:
            yield Use(f"volume {at(mapping, 'DeviceName')}", at(disk, "KmsKeyId"), truthy(at(disk, "Encrypted")))


def _environment(node: Node) -> Iterator[Use]:
    if node.get("Environment", "Variables"):
        yield Use("environment", node.get("KmsKeyArn"))


def _artifacts(node: Node) -> Iterator[Use]:
    encryption = node.get("ArtifactConfig", "S3Encryption", default={})
    yield Use("artifacts", at(encryption, "KmsKeyArn"), at(encryption, "EncryptionMode") == "SSE_KMS")


def _replication(node: Node) -> Iterator[Use]:
    for rule in as_list(node.get("ReplicationConfiguration", "Rules")):
        if truthy(at(rule, "SourceSelectionCriteria", "SseKmsEncryptedObjects", "Status")) or (
            at(rule, "SourceSelectionCriteria", "SseKmsEncryptedObjects", "Status") == "Enabled"
        ):
            yield Use("replicas", at(rule, "Destination", "EncryptionConfiguration", "ReplicaKmsKeyID"))


_READERS: Mapping[str, tuple[str, tuple[Callable[[Node], Iterator[Use]], ...]]] = {
    "AWS::Backup::BackupVault": ("backup", (_at("EncryptionKeyArn", what="recovery points"),)),
    "AWS::CloudTrail::Trail": ("archive", (_at("KMSKeyId", what="log files"),)),
    "AWS::CodeBuild::Project": ("data", (_at("EncryptionKey", what="artifacts"),)),
    "AWS::DocDB::DBCluster": ("data", (_at("KmsKeyId", switch=("StorageEncrypted",)),)),
    "AWS::DynamoDB::Table": ("data", (_table,)),
    "AWS::EC2::Instance": ("data", (_volumes,)),
    "AWS::EC2::LaunchTemplate": ("data", (_volumes,)),
    "AWS::EC2::Volume": ("data", (_at("KmsKeyId", switch=("Encrypted",)),)),
    "AWS::ECR::Repository": ("data", (_at("EncryptionConfiguration", "KmsKey", what="images"),)),
    "AWS::EFS::FileSystem": ("data", (_at("KmsKeyId", switch=("Encrypted",)),)),
    "AWS::ElastiCache::ReplicationGroup": ("data", (_at("KmsKeyId", switch=("AtRestEncryptionEnabled",)),)),
    "AWS::Kinesis::Stream": ("data", (_at("StreamEncryption", "KeyId", what="records"),)),
    "AWS::KinesisFirehose::DeliveryStream": (
        "data",
        (_at("DeliveryStreamEncryptionConfigurationInput", "KeyARN", what="records"),),
    ),
    "AWS::Lambda::Function": ("secrets", (_environment,)),
    "AWS::Logs::LogGroup": ("logs", (_at("KmsKeyId", what="log events"),)),
    "AWS::Neptune::DBCluster": ("data", (_at("KmsKeyId", switch=("StorageEncrypted",)),)),
    "AWS::OpenSearchService::Domain": (
        "data",
        (_at("EncryptionAtRestOptions", "KmsKeyId", switch=("EncryptionAtRestOptions", "Enabled")),),
    ),
    "AWS::RDS::DBCluster": ("data", (_database,)),
    "AWS::RDS::DBInstance": ("data", (_insights,)),
    "AWS::Redshift::Cluster": ("data", (_at("KmsKeyId", switch=("Encrypted",)),)),
    "AWS::S3::Bucket": ("data", (_bucket, _replication)),
    "AWS::SNS::Topic": ("messaging", (_at("KmsMasterKeyId", what="messages"),)),
    "AWS::SQS::Queue": ("messaging", (_at("KmsMasterKeyId", what="messages"),)),
    "AWS::SecretsManager::Secret": ("secrets", (_at("KmsKeyId", what="secret"),)),
    "AWS::Synthetics::Canary": ("data", (_artifacts,)),
}
"""By type: the class of what it holds, and where it names its keys."""

_STREAMS = frozenset({"AWS::Kinesis::Stream", "AWS::KinesisFirehose::DeliveryStream"})
"""Types that carry data or logs alike."""
CLASSES = ("data", "logs", "secrets", "backup", "messaging", "archive")


def class_of(model: Model, key: Node) -> str:
    """The class that the key's alias names (``alias/<prefix>/<class>``), or nothing."""
    for alias in model.referrers(key, "AWS::KMS::Alias"):
        word = alias.name.rpartition("/")[2]
        for known in CLASSES:
            if word == known or word.startswith(f"{known}-"):
                return known
    return ""


def _takes_only_aws_keys(case: Case) -> set[Node]:
    """Buckets that receive what AWS delivers only with keys of its own, and those that they are replicated to.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html
    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
    """
    named: list[tuple[Any, Node]] = []
    for logged in case.model.of("AWS::S3::Bucket"):
        named.append((logged.get("LoggingConfiguration", "DestinationBucketName"), logged))
    for balancer in case.model.of("AWS::ElasticLoadBalancingV2::LoadBalancer"):
        for attribute in as_list(balancer.get("LoadBalancerAttributes")):
            if str(at(attribute, "Key")).endswith("_logs.s3.bucket"):
                named.append((at(attribute, "Value"), balancer))
    found = {
        bucket for name, near in named if (bucket := case.model.find(name, "AWS::S3::Bucket", near=near)) is not None
    }
    for bucket in list(found):
        for rule in as_list(bucket.get("ReplicationConfiguration", "Rules")):
            copy = case.model.find(at(rule, "Destination", "Bucket"), "AWS::S3::Bucket")
            if copy is not None:
                found.add(copy)
    return found


@proof("encryption.at-rest")
def at_rest(case: Case, finding: Finding) -> None:
    """Every store, queue, topic, log, volume, snapshot and copy is encrypted by a customer-managed key of its own class that
    rotates; only logs that AWS delivers in no other way are encrypted by a key of AWS.
    """
    exempt = _takes_only_aws_keys(case)
    here: dict[tuple[str, str], set[str]] = defaultdict(set)
    for own in case.model.of(*KEYS):
        here[own.account, own.region].add(class_of(case.model, own))
    for node in case.model.of(*_READERS):
        wanted, readers = _READERS[node.type]
        for use in (use for reader in readers for use in reader(node)):
            key = case.model.find(use.key, *KEYS, near=node) if use.on else None
            if key is None:
                encrypted = bool(node.get("BucketEncryption"))
                if node in exempt and encrypted and use.what == "objects":
                    finding.evidence.append(
                        note(node, "objects by a key of AWS (AES-256): its senders deliver no other way")
                    )
                else:
                    how = "off" if not use.on else f"by {use.key}" if use.key else "by no customer-managed key"
                    finding.broken.append(note(node, f"{use.what}: encryption {how}"))
                continue
            kind = class_of(case.model, key)
            # The class in question may have no key of its own in that account and region; then any own key serves.
            classes = here[key.account, key.region]
            serves = "secrets" if use.what == "master password" else wanted
            also = {"logs"} if node.type in _STREAMS else set()
            if kind in {"", serves, "archive"} | also or serves not in classes:
                finding.evidence.append(note(node, f"{use.what} by {key.path}"))
            else:
                finding.broken.append(note(node, f"{use.what} by {key.path}, a key for {kind}, not for {serves}"))


@proof("encryption.keys-rotate")
def keys_rotate(case: Case, finding: Finding) -> None:
    """Every symmetric customer-managed key rotates at least once a year, is enabled, and waits a week or more before deletion.

    https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html
    """
    for key in case.model.of("AWS::KMS::Key"):
        faults = []
        if str(key.get("KeySpec", default="SYMMETRIC_DEFAULT")) == "SYMMETRIC_DEFAULT":
            if not truthy(key.get("EnableKeyRotation")):
                faults.append("does not rotate")
            period = key.get("RotationPeriodInDays", default=365)
            if isinstance(period, int) and period > 366:
                faults.append(f"rotates every {period} days only")
        if not truthy(key.get("Enabled", default=True)):
            faults.append("is disabled")
        days = key.get("PendingWindowInDays", default=30)
        if isinstance(days, int) and days < 7:
            faults.append(f"is deleted after {days} days")
        if not key.retained:
            faults.append("is deleted with its stack, and all that it encrypts with it")
        finding.broken.extend(note(key, fault) for fault in faults)
        if not faults:
            finding.evidence.append(note(key, "rotates, enabled, outlives its stack"))


@proof("encryption.keys-apart")
def keys_apart(case: Case, finding: Finding) -> None:
    """No key encrypts anything of two accounts, so that no stage's data opens with another's key."""
    users: dict[Node, dict[str, str]] = defaultdict(dict)
    for node in case.model.of(*_READERS):
        for reader in _READERS[node.type][1]:
            for use in reader(node):
                key = case.model.find(use.key, *KEYS, near=node)
                # A trail and a replica are encrypted by the key of where they arrive.
                if key is not None and node.type != "AWS::CloudTrail::Trail" and use.what != "replicas":
                    users[key].setdefault(node.account, node.path)
    for key, accounts in users.items():
        if len(accounts) > 1:
            paths = " and ".join(sorted(accounts.values()))
            finding.broken.append(note(key, f"encrypts things of {len(accounts)} accounts: {paths}"))
        else:
            finding.evidence.append(note(key, f"serves account {next(iter(accounts))} alone"))
