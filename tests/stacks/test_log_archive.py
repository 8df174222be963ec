"""The archive: who can write, that nobody else can do anything, that locks hold, and that logs arrive where they should."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

import pytest

from assembly import Assembly, Resource
from stacks.names import (
    AUDIT_SHIPPER,
    CHAT,
    ORGANIZATION,
    ORGANIZATION_WORKFLOWS,
    STAGE_WORKFLOWS,
    WRITTEN_INTO_THE_ARCHIVE,
    Log,
    Names,
    Workflow,
)
from tests.fixture_deployment import FIXTURE

NAMES = Names(FIXTURE)
ARCHIVE = FIXTURE.accounts.log_archive
OWNED = [(ORGANIZATION, log) for log in (Log.TRAIL, Log.CONFIG, Log.ACCESS, Log.DECISION)] + [
    (stage.name, log)
    for stage in FIXTURE.stages
    for log in Log
    if log not in {Log.TRAIL, Log.CONFIG} and (log is not Log.FIREWALL or stage.name == "prod")
]
RETENTION = {
    Log.TRAIL: FIXTURE.retention.audit_archive_days,
    Log.CONFIG: FIXTURE.retention.audit_archive_days,
    Log.SESSION: FIXTURE.retention.audit_archive_days,
    Log.AUDIT: FIXTURE.retention.audit_archive_days,
    Log.DECISION: FIXTURE.retention.audit_archive_days,
    Log.FLOW: FIXTURE.retention.network_archive_days,
    Log.RESOLVER: FIXTURE.retention.network_archive_days,
    Log.FIREWALL: FIXTURE.retention.network_archive_days,
}


DECIDING = {
    ORGANIZATION: [
        (FIXTURE.owners[owner], workflow)
        for owner, workflows in ORGANIZATION_WORKFLOWS.items()
        for workflow in workflows
    ],
    **{stage.name: [(stage.account, workflow) for workflow in STAGE_WORKFLOWS] for stage in FIXTURE.stages},
}
"""By the owner of the bucket: the account of each workflow."""


SHIPPED = [stage for stage in FIXTURE.stages if stage.log_service is not None]
"""Stages whose audit logs go on to a log service."""


def _shipper(account: str) -> str:
    return f"arn:aws:iam::{account}:role/{NAMES.role(AUDIT_SHIPPER)}"


def _recorder(account: str, workflow: Workflow) -> str:
    return f"arn:aws:iam::{account}:role/{NAMES.recorder(workflow)}*"


CHAT_SPEAKER = f"arn:aws:iam::{FIXTURE.accounts.security}:role/{NAMES.chat_speaker}"


def _people(account: str) -> str:
    return f"arn:aws:iam::{account}:role/aws-reserved/sso.amazonaws.com/*"


def _bucket(assembly: Assembly, name: str) -> Resource:
    return next(r for _, r in assembly.resources("AWS::S3::Bucket") if r.properties.get("BucketName") == name)


def _statements(assembly: Assembly, name: str) -> list[dict[str, Any]]:
    bucket = _bucket(assembly, name)
    return [
        statement
        for _, policy in assembly.resources("AWS::S3::BucketPolicy")
        if policy.stack == bucket.stack and policy.properties["Bucket"] == {"Ref": bucket.logical_id}
        for statement in policy.properties["PolicyDocument"]["Statement"]
    ]


def _allows(statements: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    return (statement for statement in statements if statement["Effect"] == "Allow")


def _actions(statement: dict[str, Any]) -> list[str]:
    actions = statement["Action"]
    return [actions] if isinstance(actions, str) else actions


def _log_buckets(assembly: Assembly) -> list[Resource]:
    return [
        r
        for stack, r in assembly.resources("AWS::S3::Bucket")
        if (stack.name.startswith("log-archive-") and stack.name != "log-archive-analysis")
        or stack.name.endswith("-access-logs")
    ]


def _archive_keys(assembly: Assembly) -> list[Resource]:
    return [
        r
        for stack, r in assembly.resources("AWS::KMS::Key")
        if stack.name == "log-archive-organization" or stack.name in {f"log-archive-{s.name}" for s in FIXTURE.stages}
    ]


@pytest.mark.parametrize(("owner", "log"), OWNED)
def test_evidence_is_locked_by_default_for_its_retention(assembly: Assembly, owner: str, log: Log) -> None:
    bucket = _bucket(assembly, NAMES.archive_bucket(owner, log))
    mode = "GOVERNANCE" if owner == "dev" else "COMPLIANCE"
    days = RETENTION.get(log, FIXTURE.retention.access_archive_days)
    assert bucket.properties["ObjectLockEnabled"] is True
    assert bucket.properties["ObjectLockConfiguration"] == {
        "ObjectLockEnabled": "Enabled",
        "Rule": {"DefaultRetention": {"Mode": mode, "Days": days}},
    }


@pytest.mark.parametrize(("owner", "log"), OWNED)
def test_evidence_expires_when_its_lock_ends_and_not_before(assembly: Assembly, owner: str, log: Log) -> None:
    properties = _bucket(assembly, NAMES.archive_bucket(owner, log)).properties
    locked = properties["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]["Days"]
    rules = properties["LifecycleConfiguration"]["Rules"]
    assert [rule["ExpirationInDays"] for rule in rules if "ExpirationInDays" in rule] == [locked]
    assert [r["NoncurrentVersionExpiration"] for r in rules if "NoncurrentVersionExpiration" in r] == [
        {"NoncurrentDays": 1}
    ]
    assert any(rule.get("ExpiredObjectDeleteMarker") for rule in rules)
    assert any(rule.get("AbortIncompleteMultipartUpload") for rule in rules)


def test_long_retention_moves_to_glacier(assembly: Assembly) -> None:
    rules = _bucket(assembly, NAMES.archive_bucket(ORGANIZATION, Log.TRAIL)).properties["LifecycleConfiguration"]
    transitions = [t for rule in rules["Rules"] for t in rule.get("Transitions", [])]
    assert transitions == [{"StorageClass": "GLACIER_IR", "TransitionInDays": FIXTURE.retention.glacier_after_days}]


def test_every_log_bucket_is_private_versioned_and_retained(assembly: Assembly) -> None:
    buckets = _log_buckets(assembly)
    assert len(buckets) == 8 + 15 + 17 + 2
    for bucket in buckets:
        assert bucket.properties["VersioningConfiguration"] == {"Status": "Enabled"}, bucket
        assert set(bucket.properties["PublicAccessBlockConfiguration"].values()) == {True}, bucket
        assert bucket.properties["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}], bucket
        assert bucket.definition["DeletionPolicy"] == bucket.definition["UpdateReplacePolicy"] == "Retain", bucket


def test_only_logs_whose_service_demands_it_go_without_the_customer_key(assembly: Assembly) -> None:
    plain = set()
    for bucket in _log_buckets(assembly):
        (rule,) = bucket.properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        if rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256":
            plain.add(bucket.properties["BucketName"])
        else:
            assert rule["BucketKeyEnabled"] is True, bucket
            assert "Fn::GetAtt" in rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"], bucket
    owners = [ORGANIZATION, *(stage.name for stage in FIXTURE.stages)]
    expected = {name(owner, Log.ACCESS) for owner in owners for name in (NAMES.archive_bucket, NAMES.landing_bucket)}
    expected |= {
        name(stage.name, Log.BALANCER)
        for stage in FIXTURE.stages
        for name in (NAMES.archive_bucket, NAMES.landing_bucket)
    }
    assert plain == expected


def test_refuses_plaintext_and_old_transport(assembly: Assembly) -> None:
    for bucket in _log_buckets(assembly):
        denied = [
            statement["Condition"]
            for statement in _statements(assembly, bucket.properties["BucketName"])
            if statement["Effect"] == "Deny" and statement["Action"] == "s3:*"
        ]
        assert {"Bool": {"aws:SecureTransport": "false"}} in denied, bucket
        assert {"NumericLessThan": {"s3:TlsVersion": 1.2}} in denied, bucket


def test_writers_can_only_write(assembly: Assembly) -> None:
    harmless = {
        "s3:AbortMultipartUpload",
        "s3:GetBucketAcl",
        "s3:GetBucketLocation",
        "s3:GetEncryptionConfiguration",
        "s3:ListBucket",
        "s3:ListBucketMultipartUploads",
        "s3:ObjectOwnerOverrideToBucketOwner",
        "s3:PutObject",
        "s3:PutObjectAcl",
        "s3:ReplicateObject",
        "s3:ReplicateTags",
    }
    for bucket in _log_buckets(assembly):
        for statement in _allows(_statements(assembly, bucket.properties["BucketName"])):
            # That workflows read what they wrote, and the shipper what it sends, has tests of its own.
            reading = ("RecordsWrite", "DeedsWrite", "AuditShipperWrite")
            read = {"s3:GetObject"} if statement["Sid"].endswith(reading) else set()
            assert set(_actions(statement)) <= harmless | read, f"{bucket}: {statement['Sid']}"


def test_every_writer_is_bound_to_accounts_of_this_deployment(assembly: Assembly) -> None:
    ours = set(FIXTURE.account_ids)
    seen = 0
    for bucket in _log_buckets(assembly):
        for statement in _allows(_statements(assembly, bucket.properties["BucketName"])):
            bound = {
                account
                for tests in statement["Condition"].values()
                for key, values in tests.items()
                if key in {"aws:SourceAccount", "aws:SourceArn", "aws:PrincipalArn"}
                for account in re.findall(r"\b\d{12}\b", json.dumps(values))
            }
            assert bound, f"{bucket}: {statement['Sid']}"
            assert bound <= ours, f"{bucket}: {statement['Sid']}"
            seen += 1
    assert seen > 40


def test_a_stage_writes_into_no_other_stages_buckets(assembly: Assembly) -> None:
    for stage in FIXTURE.stages:
        others = {other.account for other in FIXTURE.stages if other is not stage}
        for log in Log:
            for name in (NAMES.archive_bucket(stage.name, log), NAMES.landing_bucket(stage.name, log)):
                if any(b.properties["BucketName"] == name for b in _log_buckets(assembly)):
                    text = json.dumps(list(_allows(_statements(assembly, name))))
                    assert not [account for account in others if account in text], name


def _others(account: str) -> dict[str, Any]:
    return {"StringNotEquals": {"aws:PrincipalAccount": account}, "Bool": {"aws:PrincipalIsAWSService": "false"}}


def test_each_workflow_reads_its_own_records_and_deeds_and_nobody_else_anything(assembly: Assembly) -> None:
    read = {
        (
            bucket.properties["BucketName"],
            join["Fn::Join"][1][-1].rpartition("/")[0].lstrip("/"),
            statement["Condition"]["ArnEquals"]["aws:PrincipalArn"],
        )
        for bucket in _log_buckets(assembly)
        for statement in _allows(_statements(assembly, bucket.properties["BucketName"]))
        if any(fnmatchcase("s3:GetObject", action) for action in _actions(statement))
        for join in (statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]])
    }
    assert read == {
        (NAMES.archive_bucket(owner, Log.DECISION), f"{account}/{workflow}{what}", _recorder(account, workflow))
        for owner, deciding in DECIDING.items()
        for account, workflow in deciding
        for what in ("", "-deeds")
    } | {
        # Reviews tell which rights a grant explains.
        (
            NAMES.archive_bucket(ORGANIZATION, Log.DECISION),
            f"{FIXTURE.accounts.security}/access",
            _recorder(FIXTURE.accounts.security, Workflow.REVIEWS),
        )
    } | {
        (NAMES.archive_bucket(stage.name, Log.AUDIT), f"AWSLogs/{stage.account}/{folder}", _shipper(stage.account))
        for stage in SHIPPED
        for folder in ("audit", "sign-ins")
    }


@pytest.mark.parametrize(
    "action",
    ["s3:GetObject", "s3:GetObjectVersion", "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:DeleteBucket",
     "s3:PutObjectRetention", "s3:BypassGovernanceRetention", "s3:PutBucketPolicy", "s3:PutLifecycleConfiguration"],
)  # fmt: skip
def test_other_accounts_neither_read_nor_change(assembly: Assembly, action: str) -> None:
    for bucket in _log_buckets(assembly):
        stack = assembly[bucket.stack]
        denies = [
            statement
            for statement in _statements(assembly, bucket.properties["BucketName"])
            if statement["Effect"] == "Deny"
            and statement["Principal"] == {"AWS": "*"}
            and statement["Condition"]
            in (
                _others(stack.account),
                *(
                    {
                        **_others(stack.account),
                        "ArnNotEquals": {"aws:PrincipalArn": [_recorder(*one) for one in deciding]},
                    }
                    for deciding in DECIDING.values()
                ),
                *(
                    {**_others(stack.account), "ArnNotEquals": {"aws:PrincipalArn": [_shipper(stage.account)]}}
                    for stage in SHIPPED
                ),
            )
        ]
        assert any(fnmatchcase(action, pattern) for deny in denies for pattern in _actions(deny)), bucket


def test_what_landed_is_read_and_deleted_by_nobody_but_replication(assembly: Assembly) -> None:
    landings = [b for b in _log_buckets(assembly) if "ReplicationConfiguration" in b.properties]
    assert len(landings) == 3 + 7 + 8
    for bucket in landings:
        (seal,) = [
            s for s in _statements(assembly, bucket.properties["BucketName"]) if s.get("Sid") == "OnlyReplicationReads"
        ]
        assert seal["Effect"] == "Deny"
        assert seal["Principal"] == {"AWS": "*"}
        assert set(seal["Action"]) == {"s3:DeleteObject*", "s3:GetObject*"}
        assert seal["Condition"] == {
            "ArnNotEquals": {"aws:PrincipalArn": bucket.properties["ReplicationConfiguration"]["Role"]}
        }


@pytest.mark.parametrize(("owner", "log"), [o for o in OWNED if o[1] not in WRITTEN_INTO_THE_ARCHIVE])
def test_what_lands_is_replicated_into_the_locked_bucket(assembly: Assembly, owner: str, log: Log) -> None:
    landing = _bucket(assembly, NAMES.landing_bucket(owner, log))
    assert "ObjectLockEnabled" not in landing.properties
    (rule,) = landing.properties["ReplicationConfiguration"]["Rules"]
    assert rule["Status"] == "Enabled"
    assert rule["Filter"] == {"Prefix": ""}
    assert rule["DeleteMarkerReplication"] == {"Status": "Disabled"}
    assert rule["Destination"]["Bucket"] == f"arn:aws:s3:::{NAMES.archive_bucket(owner, log)}"
    assert rule["Destination"].get("Account") == (ARCHIVE if owner != ORGANIZATION and log is Log.ACCESS else None)
    # S3 wants both or neither.
    encrypted = log not in {Log.BALANCER, Log.ACCESS}
    assert ("EncryptionConfiguration" in rule["Destination"]) is encrypted
    assert ("SourceSelectionCriteria" in rule) is encrypted


def test_replication_of_a_stage_is_the_only_one_that_crosses_accounts(assembly: Assembly) -> None:
    for stage in FIXTURE.stages:
        (replicas,) = [
            s
            for s in _allows(_statements(assembly, NAMES.archive_bucket(stage.name, Log.ACCESS)))
            if "s3:ReplicateObject" in _actions(s)
        ]
        role = NAMES.role_arn("access-log-replication", stage.account)
        assert replicas["Condition"] == {"ArnEquals": {"aws:PrincipalArn": role}}
        roles = [r for _, r in assembly.resources("AWS::IAM::Role") if r.stack == f"{stage.name}-access-logs"]
        assert [r.properties["RoleName"] for r in roles] == [role.rpartition("/")[2]]


def test_load_balancers_deliver_without_a_customer_key(assembly: Assembly) -> None:
    (write,) = _allows(_statements(assembly, NAMES.delivery_bucket("prod", Log.BALANCER)))
    stage = FIXTURE.stage("prod")
    assert write["Principal"] == {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}
    assert write["Condition"] == {
        "ArnLike": {"aws:SourceArn": f"arn:aws:elasticloadbalancing:eu-central-1:{stage.account}:loadbalancer/*"}
    }


def test_waf_accepts_the_names_of_its_buckets(assembly: Assembly) -> None:
    for stage in FIXTURE.stages:
        name = NAMES.delivery_bucket(stage.name, Log.WAF)
        assert name.startswith("aws-waf-logs-")
        sources = [s["Condition"]["ArnLike"]["aws:SourceArn"] for s in _allows(_statements(assembly, name))]
        assert set(sources) == {f"arn:aws:logs:{region}:{stage.account}:*" for region in ("eu-central-1", "us-east-1")}


def test_config_of_every_account_is_accepted(assembly: Assembly) -> None:
    allows = list(_allows(_statements(assembly, NAMES.delivery_bucket(ORGANIZATION, Log.CONFIG))))
    assert {s["Principal"]["Service"] for s in allows} == {"config.amazonaws.com"}
    assert all(s["Condition"]["StringEquals"]["aws:SourceAccount"] == list(FIXTURE.account_ids) for s in allows)


def test_cloudfront_delivers_through_a_door_for_its_own_account(assembly: Assembly) -> None:
    doors = {r.properties["Name"]: (s, r) for s, r in assembly.resources("AWS::Logs::DeliveryDestination")}
    assert set(doors) == {NAMES.cdn_log_destination(stage.name) for stage in FIXTURE.stages}
    for stage in FIXTURE.stages:
        stack, door = doors[NAMES.cdn_log_destination(stage.name)]
        assert (stack.account, stack.region) == (ARCHIVE, "us-east-1")
        assert door.properties["DestinationResourceArn"] == f"arn:aws:s3:::{NAMES.delivery_bucket(stage.name, Log.CDN)}"
        (statement,) = door.properties["DeliveryDestinationPolicy"]["DeliveryDestinationPolicy"]["Statement"]
        assert statement["Principal"] == {"AWS": f"arn:aws:iam::{stage.account}:root"}
        assert NAMES.cdn_log_destination_arn(stage.name) in statement["Resource"]


def test_archive_keys_serve_only_known_writers(assembly: Assembly) -> None:
    keys = _archive_keys(assembly)
    assert len(keys) == 1 + len(FIXTURE.stages)
    services = {"cloudtrail.amazonaws.com", "config.amazonaws.com", "delivery.logs.amazonaws.com"}
    roles = {
        NAMES.role_arn(role, stage.account)
        for stage in FIXTURE.stages
        for role in ("bastion", "audit-delivery", "sign-in-delivery")
    }
    roles |= {_shipper(stage.account) for stage in SHIPPED}
    roles |= {_people(account) for deciding in DECIDING.values() for account, _ in deciding}
    roles |= {_recorder(*one) for deciding in DECIDING.values() for one in deciding}
    roles.add(CHAT_SPEAKER)
    for key in keys:
        for statement in key.properties["KeyPolicy"]["Statement"]:
            if statement["Effect"] != "Allow" or statement["Principal"] == {"AWS": f"arn:aws:iam::{ARCHIVE}:root"}:
                continue
            if "Service" in statement["Principal"]:
                assert statement["Principal"]["Service"] in services, key
                assert statement["Condition"], key
            else:
                assert statement["Condition"]["ArnEquals"]["aws:PrincipalArn"] in roles, key
                assert statement["Condition"]["StringEquals"] == {"kms:ViaService": "s3.eu-central-1.amazonaws.com"}


@pytest.mark.parametrize("owner", DECIDING)
def test_recorders_write_records_and_people_deeds_under_their_own_id(assembly: Assembly, owner: str) -> None:
    name = NAMES.archive_bucket(owner, Log.DECISION)
    written = {
        (one["Condition"]["ArnEquals"]["aws:PrincipalArn"], part.strip("/"))
        for one in _allows(_statements(assembly, name))
        if "s3:PutObject" in _actions(one)
        for join in (one["Resource"] if isinstance(one["Resource"], list) else [one["Resource"]])
        for part in [join["Fn::Join"][1][-1]]
    }
    assert written == {(_recorder(*one), f"{one[0]}/{one[1]}/*") for one in DECIDING[owner]} | {
        (_people(account), f"{account}/{workflow}-deeds/*/${{aws:userid}}.json*")
        for account, workflow in DECIDING[owner]
    } | (
        {(CHAT_SPEAKER, f"{FIXTURE.accounts.security}/{Workflow.ACCESS}-deeds/*/{CHAT}:*.json*")}
        if owner == ORGANIZATION
        else set()
    )


def test_requests_to_the_archive_are_logged_without_a_circle(assembly: Assembly) -> None:
    circle = {NAMES.archive_bucket(ORGANIZATION, Log.ACCESS), NAMES.landing_bucket(ORGANIZATION, Log.ACCESS)}
    circle |= {NAMES.landing_bucket(stage.name, Log.ACCESS) for stage in FIXTURE.stages}
    for bucket in _log_buckets(assembly):
        name = bucket.properties["BucketName"]
        target = bucket.properties.get("LoggingConfiguration", {}).get("DestinationBucketName")
        assert target == (None if name in circle else NAMES.landing_bucket(ORGANIZATION, Log.ACCESS)), name


def _needs(assembly: Assembly, stack: str, logical_id: str) -> set[str]:
    """Logical ids that a resource waits for, directly or through others."""
    definition = assembly[stack].resources[logical_id].definition
    direct = definition.get("DependsOn", [])
    waits = {direct} if isinstance(direct, str) else set(direct)
    waits |= set(re.findall(r'{"Ref": "(\w+)"}', json.dumps(definition)))
    waits |= set(re.findall(r'"Fn::GetAtt": \["(\w+)"', json.dumps(definition)))
    waits &= set(assembly[stack].resources)
    return waits.union(*(_needs(assembly, stack, other) for other in waits))


def test_buckets_wait_for_what_s3_looks_for(assembly: Assembly) -> None:
    """S3 tries replication and request logging when they are set: bucket, policy and role must be there before."""
    logs = _bucket(assembly, NAMES.landing_bucket(ORGANIZATION, Log.ACCESS))
    (logs_policy,) = [
        r.logical_id
        for r in assembly[logs.stack].resources.values()
        if r.type == "AWS::S3::BucketPolicy" and r.properties["Bucket"] == {"Ref": logs.logical_id}
    ]
    by_name = {bucket.properties["BucketName"]: bucket for bucket in _log_buckets(assembly)}
    for bucket in by_name.values():
        stack = assembly[bucket.stack]
        needs = _needs(assembly, bucket.stack, bucket.logical_id)
        if "LoggingConfiguration" in bucket.properties:
            assert (logs_policy in needs) if stack.name == logs.stack else (logs.stack in stack.dependencies), bucket
        if "ReplicationConfiguration" in bucket.properties:
            arn = bucket.properties["ReplicationConfiguration"]["Rules"][0]["Destination"]["Bucket"]
            target = by_name[arn.rpartition(":")[2]]
            there = target.logical_id in needs if target.stack == bucket.stack else target.stack in stack.dependencies
            assert there, bucket
            assert any(stack.resources[need].type == "AWS::IAM::ManagedPolicy" for need in needs), bucket


def test_services_deliver_where_they_can(assembly: Assembly) -> None:
    """A service that is given the locked bucket would lose its logs, or refuse to be created; the shipper reads it."""
    locked = {NAMES.archive_bucket(owner, log): (owner, log) for owner, log in OWNED}
    for stack, resource in assembly.resources():
        if stack.name.startswith("log-archive-") or stack.name.endswith("-access-logs"):
            continue
        properties = json.dumps(resource.properties)
        for name, (owner, log) in locked.items():
            if log not in WRITTEN_INTO_THE_ARCHIVE and not stack.name.endswith("-audit-shipping"):
                assert not re.search(rf"\b{name}\b", properties), (
                    f"{resource} names the locked bucket {name}; use names.delivery_bucket({owner!r}, {log})"
                )


def test_names_fit(assembly: Assembly) -> None:
    for bucket in _log_buckets(assembly):
        assert len(bucket.properties["BucketName"]) <= 63, bucket
