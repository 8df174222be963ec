"""Buckets: who may reach them, over what transport, and how long what is in them stays."""

from __future__ import annotations

from collections.abc import Iterator

from assembly import Resource
from gate.control import control
from gate.policies import Condition, Statement, documents, matches
from gate.world import World, at, truthy

_BLOCKS = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
_DELIVERY = (
    "delivery.logs.amazonaws.com",
    "cloudtrail.amazonaws.com",
    "config.amazonaws.com",
    "logging.s3.amazonaws.com",
)


def bucket_statements(bucket: Resource, world: World) -> list[Statement]:
    """Every statement of the policies attached to the bucket."""
    return [
        statement
        for policy in world.pointing_at(bucket, "Bucket", "AWS::S3::BucketPolicy")
        for document in documents(policy, world)
        for statement in document.statements
    ]


def bucket_arn(bucket: Resource, world: World) -> str:
    """The bucket's ARN as its policies spell it."""
    return world.text({"Fn::GetAtt": [bucket.logical_id, "Arn"]}, bucket)


def denies_all_but(
    statements: list[Statement], arn: str, tests: tuple[tuple[str, str, str], ...], action: str = "s3:*"
) -> bool:
    """Whether one Deny to everybody, of the action on bucket and objects, holds on exactly one of the tests."""
    return any(
        not statement.allows
        and statement.anyone
        and len(statement.conditions) == 1
        and _is_test(statement.conditions[0], tests)
        and any(
            matches(pattern, action.replace("*", "GetObject")) and matches(pattern, action.replace("*", "PutObject"))
            for pattern in statement.actions
        )
        and any(matches(pattern, arn) for pattern in statement.resources)
        and any(matches(pattern, f"{arn}/any/object") for pattern in statement.resources)
        for statement in statements
    )


def _is_test(condition: Condition, tests: tuple[tuple[str, str, str], ...]) -> bool:
    return any(
        condition.operator.lower() == operator.lower()
        and condition.key.lower() == key.lower()
        and condition.values == (value,)
        for operator, key, value in tests
    )


@control("storage.bucket.private", "AWS::S3::Bucket")
def public_access(bucket: Resource, _world: World) -> Iterator[str]:
    """No bucket or object can be made public: all four blocks are on.

    Fix: set the four fields of PublicAccessBlockConfiguration to true.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
    """
    blocks = bucket.properties.get("PublicAccessBlockConfiguration", {})
    missing = [name for name in _BLOCKS if not truthy(blocks.get(name))]
    if missing:
        yield f"public access is not blocked: {', '.join(missing)}"
    if bucket.properties.get("AccessControl") not in {None, "Private", "LogDeliveryWrite"}:
        yield f"the canned ACL is {bucket.properties['AccessControl']}"
    if "WebsiteConfiguration" in bucket.properties:
        yield "it serves a public web site"


@control("storage.bucket.ownership", "AWS::S3::Bucket")
def ownership(bucket: Resource, _world: World) -> Iterator[str]:
    """The bucket's owner owns every object, and access control lists mean nothing.

    Fix: set OwnershipControls to BucketOwnerEnforced.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
    """
    rules = at(bucket.properties, "OwnershipControls", "Rules", default=[])
    if [rule.get("ObjectOwnership") for rule in rules] != ["BucketOwnerEnforced"]:
        yield "objects may belong to whoever wrote them, with access lists of their own"


@control("storage.bucket.versioning", "AWS::S3::Bucket")
def versioning(bucket: Resource, _world: World) -> Iterator[str]:
    """An overwritten or deleted object can be brought back.

    Fix: set VersioningConfiguration.Status to Enabled.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/Versioning.html
    """
    if at(bucket.properties, "VersioningConfiguration", "Status") != "Enabled":
        yield "versioning is not on"


@control("storage.bucket.tls-only", "AWS::S3::Bucket")
def tls_only(bucket: Resource, world: World) -> Iterator[str]:
    """Everybody is refused every request that does not come over TLS, on the bucket and each object.

    Fix: add a Deny of s3:* to everybody on bucket and objects with only the condition Bool aws:SecureTransport false.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html
    """
    tests = (("Bool", "aws:SecureTransport", "false"),)
    if not denies_all_but(bucket_statements(bucket, world), bucket_arn(bucket, world), tests):
        yield "its policy does not refuse plaintext transport"


@control("storage.bucket.tls-version", "AWS::S3::Bucket")
def tls_version(bucket: Resource, world: World) -> Iterator[str]:
    """Everybody is refused TLS older than 1.2.

    Fix: add a Deny of s3:* to everybody with only the condition NumericLessThan s3:TlsVersion 1.2.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/example-bucket-policies.html
    """
    tests = (("NumericLessThan", "s3:TlsVersion", "1.2"), ("NumericLessThan", "s3:TlsVersion", "1.3"))
    if not denies_all_but(bucket_statements(bucket, world), bucket_arn(bucket, world), tests):
        yield "its policy does not refuse TLS older than 1.2"


@control("storage.bucket.callers", "AWS::S3::BucketPolicy")
def callers(policy: Resource, world: World) -> Iterator[str]:
    """A bucket's policy lets in only named or bounded callers, and each for named actions on this bucket.

    Fix: name the principal and add aws:SourceAccount, aws:SourceArn or aws:SourceOrgID; list the actions.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html
    """
    bucket = world.target(policy.properties.get("Bucket"), policy)
    arn = None if bucket is None else bucket_arn(bucket, world)
    for document in documents(policy, world):
        for statement in document.statements:
            if not statement.allows:
                continue
            if statement.anyone and not statement.bounded:
                yield f"{statement} lets everybody call {', '.join(statement.actions)}"
            for service in statement.services:
                if not statement.bounded:
                    yield f"{statement} lets {service} act on behalf of any AWS customer"
            for service in statement.half_bound:
                yield f"{statement} binds {service} by account or resource only, not by both"
            for kind, value in statement.principals:
                if kind == "AWS" and value.endswith(":root") and not statement.bounded:
                    yield f"{statement} lets everybody in {value} call {', '.join(statement.actions)}"
            if statement.not_actions or any(action in {"*", "s3:*"} for action in statement.actions):
                yield f"{statement} allows every action"
            if arn is not None and any(
                not resource.startswith(arn) or resource.startswith(f"{arn}*") for resource in statement.resources
            ):
                yield f"{statement} speaks of another resource than its bucket"
            services = set(statement.services)
            if services & set(_DELIVERY) and (statement.covers("s3:GetObject") or statement.covers("s3:DeleteObject")):
                yield f"{statement} lets {', '.join(services)} read or delete what it delivered"


@control("storage.bucket.access-log", "AWS::S3::Bucket")
def access_log(bucket: Resource, world: World) -> Iterator[str]:
    """Requests to a bucket are recorded in another bucket of this deployment, save to those that keep such records.

    Fix: set LoggingConfiguration.DestinationBucketName.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/logging-with-S3.html
    """
    destination = at(bucket.properties, "LoggingConfiguration", "DestinationBucketName")
    if destination is None:
        # A bucket that receives access logs must not log to itself, which would never end.
        if _receives_access_logs(bucket, world) or any(
            _receives_access_logs(source, world) and source.stack == bucket.stack
            for source in _sources_of(bucket, world)
        ):
            return  # to log its own requests would go round in a circle
        yield "requests to it are not recorded"
        return
    target = world.target(destination, bucket)
    if target is None or target.type != "AWS::S3::Bucket":
        yield f"its requests are recorded in {world.text(destination, bucket)}, which is no bucket of this deployment"


def _receives_access_logs(bucket: Resource, world: World) -> bool:
    return any(s.allows and "logging.s3.amazonaws.com" in s.services for s in bucket_statements(bucket, world))


def _sources_of(bucket: Resource, world: World) -> Iterator[Resource]:
    for source in world.of_type("AWS::S3::Bucket"):
        for rule in at(source.properties, "ReplicationConfiguration", "Rules", default=[]):
            target = world.target(at(rule, "Destination", "Bucket"), source)
            if target is not None and (target.stack, target.logical_id) == (bucket.stack, bucket.logical_id):
                yield source


@control("storage.bucket.lifecycle", "AWS::S3::Bucket")
def lifecycle(bucket: Resource, _world: World) -> Iterator[str]:
    """What a bucket holds ends some day: versions, unfinished uploads and, where the class of data says so, objects.

    Fix: add enabled lifecycle rules with NoncurrentVersionExpiration and AbortIncompleteMultipartUpload.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lifecycle-mgmt.html
    """
    rules = [
        rule
        for rule in at(bucket.properties, "LifecycleConfiguration", "Rules", default=[])
        if rule.get("Status") == "Enabled"
    ]
    if not rules:
        yield "no lifecycle rule is on, so everything is kept for ever"
        return
    if len(rules) < len(bucket.properties["LifecycleConfiguration"]["Rules"]):
        yield "a lifecycle rule is written down but off"
    if not any("AbortIncompleteMultipartUpload" in rule for rule in rules):
        yield "unfinished uploads are kept for ever"
    if not any("NoncurrentVersionExpiration" in rule or "NoncurrentVersionExpirationInDays" in rule for rule in rules):
        yield "replaced and deleted versions are kept for ever"
    for rule in rules:
        current = rule.get("ExpirationInDays")
        if current is not None and int(current) < 2 and not rule.get("Prefix"):
            yield f"objects are deleted after {current} day"


@control("storage.archive.object-lock", "AWS::S3::Bucket")
def object_lock(bucket: Resource, world: World) -> Iterator[str]:
    """Evidence cannot be changed or deleted before its time: a bucket that services deliver evidence to is locked, or
    copies everything at once into a locked one.

    Fix: set ObjectLockEnabled and ObjectLockConfiguration with a default retention, or replicate into such a bucket.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
    """
    rule = at(bucket.properties, "ObjectLockConfiguration", "Rule", "DefaultRetention", default={})
    locked = truthy(bucket.properties.get("ObjectLockEnabled"))
    if locked or rule:
        days = int(rule.get("Days", 0)) + 365 * int(rule.get("Years", 0))
        if not locked or at(bucket.properties, "ObjectLockConfiguration", "ObjectLockEnabled") != "Enabled":
            yield "ObjectLockEnabled is not set both for the bucket and in its configuration"
        if rule.get("Mode") not in {"COMPLIANCE", "GOVERNANCE"}:
            yield "it is lockable, but no default retention locks what arrives"
        elif days < 30:
            yield f"what arrives is locked for {days} days only"
        return
    if _receives_evidence(bucket, world) and not _replicates_into_lock(bucket, world):
        yield "services deliver evidence into it, yet it is neither locked nor replicated into a locked bucket"


def _receives_evidence(bucket: Resource, world: World) -> bool:
    account = world.stack(bucket).account
    return any(
        statement.allows
        and statement.covers("s3:PutObject")
        and (
            any(
                service in {*_DELIVERY, "logdelivery.elasticloadbalancing.amazonaws.com"}
                for service in statement.services
            )
            or any(kind == "AWS" and account not in value for kind, value in statement.principals)
        )
        for statement in bucket_statements(bucket, world)
    )


def _replicates_into_lock(bucket: Resource, world: World) -> bool:
    for rule in at(bucket.properties, "ReplicationConfiguration", "Rules", default=[]):
        target = world.target(at(rule, "Destination", "Bucket"), bucket)
        if (
            rule.get("Status") == "Enabled"
            and target is not None
            and truthy(target.properties.get("ObjectLockEnabled"))
        ):
            return True
    return False


_OUTSIDERS_NEVER = (
    "s3:GetObject",
    "s3:GetObjectVersion",
    "s3:DeleteObject",
    "s3:DeleteObjectVersion",
    "s3:BypassGovernanceRetention",
    "s3:PutObjectRetention",
    "s3:PutObjectLegalHold",
    "s3:PutBucketPolicy",
    "s3:PutBucketVersioning",
    "s3:PutBucketObjectLockConfiguration",
    "s3:PutEncryptionConfiguration",
    "s3:PutLifecycleConfiguration",
    "s3:PutReplicationConfiguration",
)
"""What reads, changes or unprotects evidence."""


def _for_services_only(denial: Statement) -> bool:
    """Whether the refusal spares every caller that is no AWS service."""
    asked = denial.condition("aws:PrincipalIsAWSService")
    return asked is not None and asked.values != ("false",)


@control("storage.archive.refusals", "AWS::S3::Bucket")
def refusals(bucket: Resource, world: World) -> Iterator[str]:
    """Evidence is neither read nor changed by other accounts, whatever they are granted; while it waits to be copied into
    the lock, by nobody but the copying role.

    Fix: refuse everybody outside the account (StringNotEquals aws:PrincipalAccount), and on landing buckets everybody but
    the replication role (ArnNotEquals aws:PrincipalArn).
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
    """
    landing = at(bucket.properties, "ReplicationConfiguration", "Rules", default=[])
    if not truthy(bucket.properties.get("ObjectLockEnabled")) and not landing:
        return
    arn = bucket_arn(bucket, world)
    denials = [
        statement
        for statement in bucket_statements(bucket, world)
        if not statement.allows
        and statement.anyone
        and any(matches(name, f"{arn}/any") for name in statement.resources)
    ]
    outside = [
        one for one in denials if one.condition("aws:PrincipalAccount") is not None and not _for_services_only(one)
    ]
    for action in _OUTSIDERS_NEVER:
        if not any(denial.covers(action) for denial in outside):
            yield f"nothing refuses {action} to other accounts"
    if landing:
        everybody = [one for one in denials if one.condition("aws:PrincipalArn") is not None]
        for action in ("s3:GetObject", "s3:DeleteObject"):
            if not any(denial.covers(action) for denial in everybody):
                yield f"nothing refuses {action} to everybody but the role that copies"


@control("storage.bucket.own-encryption", "AWS::S3::Bucket")
def own_encryption(bucket: Resource, world: World) -> Iterator[str]:
    """Whoever writes into a bucket of the workload's data encrypts with the bucket's own key or is refused.

    Fix: refuse s3:PutObject whose encryption header is given and is not aws:kms, or names another key.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
    """
    kms = any(
        at(rule, "ServerSideEncryptionByDefault", "SSEAlgorithm") == "aws:kms"
        for rule in at(bucket.properties, "BucketEncryption", "ServerSideEncryptionConfiguration", default=[])
    )
    evidence = truthy(bucket.properties.get("ObjectLockEnabled")) or "ReplicationConfiguration" in bucket.properties
    if not kms or evidence or _receives_evidence(bucket, world):
        return
    denials = [s for s in bucket_statements(bucket, world) if not s.allows and s.anyone and s.covers("s3:PutObject")]
    for key in ("s3:x-amz-server-side-encryption", "s3:x-amz-server-side-encryption-aws-kms-key-id"):
        if not any(
            condition.key == key and condition.operator.startswith("StringNotEquals")
            for denial in denials
            if not any(other.operator == "Null" and other.values != ("false",) for other in denial.conditions)
            for condition in denial.conditions
        ):
            yield f"a writer may choose another {key.removeprefix('s3:x-amz-server-side-')}"


@control("privacy.documents.expire", "AWS::S3::Bucket")
def documents_expire(bucket: Resource, world: World) -> Iterator[str]:
    """What is promised to be gone after a time is: a bucket whose backups are short-lived deletes its objects and versions.

    Fix: add an enabled rule with ExpirationInDays for all objects.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-expire-general-considerations.html
    """
    tags = {tag.get("Key"): tag.get("Value") for tag in bucket.properties.get("Tags", []) if isinstance(tag, dict)}
    if tags.get("palisade:backup") != "documents":
        return
    if not any(
        rule.get("Status") == "Enabled" and rule.get("ExpirationInDays") is not None and not rule.get("Prefix")
        for rule in at(bucket.properties, "LifecycleConfiguration", "Rules", default=[])
    ):
        yield "its objects never expire"


@control("storage.archive.lock-mode", "AWS::S3::Bucket", "AWS::Backup::BackupVault")
def lock_mode(resource: Resource, world: World) -> Iterator[str]:
    """Buckets of one stack are locked in one mode, so that no single class of evidence is softer than the rest.

    Fix: take the mode from the stage's lock_mode everywhere.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-managing.html
    """
    if resource.type != "AWS::S3::Bucket":
        return
    mode = at(resource.properties, "ObjectLockConfiguration", "Rule", "DefaultRetention", "Mode")
    if mode != "GOVERNANCE":
        return
    for other in world.of_type("AWS::S3::Bucket", near=resource):
        theirs = at(other.properties, "ObjectLockConfiguration", "Rule", "DefaultRetention", "Mode")
        if other.stack == resource.stack and theirs == "COMPLIANCE":
            yield f"it is in governance mode while {other.path} is in compliance mode"
            return


@control("storage.archive.landing", "AWS::S3::Bucket")
def replication(bucket: Resource, world: World) -> Iterator[str]:
    """A replication rule is on, ends in a bucket of this deployment, encrypted, owned there, and hides no delete.

    Fix: set Status Enabled, a Destination of this deployment with ReplicaKmsKeyID, and AccessControlTranslation.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication.html
    """
    for rule in at(bucket.properties, "ReplicationConfiguration", "Rules", default=[]):
        name = rule.get("Id", "the rule")
        destination = rule.get("Destination", {})
        target = world.target(destination.get("Bucket"), bucket)
        if rule.get("Status") != "Enabled":
            yield f"{name} is off"
        if target is None or target.type != "AWS::S3::Bucket":
            yield f"{name} copies to {world.text(destination.get('Bucket'), bucket)}, which is no bucket of this deployment"
            continue
        managed_by_s3 = "aws:kms" not in {
            at(one, "ServerSideEncryptionByDefault", "SSEAlgorithm")
            for one in at(bucket.properties, "BucketEncryption", "ServerSideEncryptionConfiguration", default=[])
        }
        if not managed_by_s3 and at(destination, "EncryptionConfiguration", "ReplicaKmsKeyID") is None:
            yield f"{name} names no key for the copies"
        if not managed_by_s3 and at(rule, "SourceSelectionCriteria", "SseKmsEncryptedObjects", "Status") != "Enabled":
            yield f"{name} leaves out objects that are encrypted with a key"
        if world.stack(target).account != world.stack(bucket).account and (
            at(destination, "AccessControlTranslation", "Owner") != "Destination"
        ):
            yield f"{name} leaves the copies to the source's account"


@control("storage.account.no-public-access", "AWS::S3::AccountPublicAccessBlock")
def account_public_access(resource: Resource, _world: World) -> Iterator[str]:
    """The account as a whole blocks public access to S3.

    Fix: set all four fields to true.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/configuring-block-public-access-account.html
    """
    missing = [name for name in _BLOCKS if not truthy(resource.properties.get(name))]
    if missing:
        yield f"public access is not blocked: {', '.join(missing)}"


@control("storage.access-point.private", "AWS::S3::AccessPoint", "AWS::S3::MultiRegionAccessPoint")
def access_point(resource: Resource, _world: World) -> Iterator[str]:
    """Access points block public access as their buckets do.

    Fix: set the four fields of PublicAccessBlockConfiguration to true.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-bpa-settings.html
    """
    blocks = resource.properties.get("PublicAccessBlockConfiguration", {})
    missing = [name for name in _BLOCKS if not truthy(blocks.get(name))]
    if missing:
        yield f"public access is not blocked: {', '.join(missing)}"
