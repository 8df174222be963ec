"""What an incident is: read from every kind of finding, folded by what it is about, scored by one table."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from palisade_runtime.incidents.finding import (
    KINDS,
    LONGEST_TITLE,
    Finding,
    Subject,
    UnknownFindingError,
    findings,
    ignored,
    moment,
)
from palisade_runtime.incidents.priorities import RULES, Priority, score
from palisade_runtime.incidents.tenants import affected, merged

from assembly.sample_findings import SAMPLES

ROOT = Path(__file__).resolve().parents[3]
STAGES = {"666666666666": "live"}


def _one(kind: str, **detail: Any) -> Finding:
    event = json.loads(json.dumps(SAMPLES[kind]))
    event["detail"] |= detail
    (found,) = findings(event)
    return found


def test_the_example_of_a_record_is_what_a_sample_becomes() -> None:
    example = json.loads((ROOT / "docs" / "incident.example.json").read_text(encoding="utf-8"))
    found = _one("guardduty")
    assert example["finding"] == found.as_record()
    assert example["incident"] == f"{found.fingerprint}-1"
    assert example["priority"] == score(found).priority.name
    assert example["affected"] == affected(found, stages={"666666666666": "sandbox"}).as_record()


def test_reads_every_kind_that_the_bus_takes() -> None:
    schema = json.loads((ROOT / "docs" / "findings.schema.json").read_text(encoding="utf-8"))
    assert set(KINDS) == set(schema["properties"]["detail-type"]["enum"])


@pytest.mark.parametrize("kind", SAMPLES)
def test_each_sample_becomes_one_finding_with_a_place_and_times(kind: str) -> None:
    found = _one(kind)
    assert (found.account, found.region) == ("666666666666", "eu-west-1")
    assert found.title
    assert found.subjects
    assert found.occurred_at <= found.found_at
    assert found.occurred_at.isoformat().startswith("2026-03-02T09:1")
    assert score(found).priority in Priority


@pytest.mark.parametrize("kind", SAMPLES)
def test_tells_the_same_event_from_a_new_one_about_the_same(kind: str) -> None:
    found = _one(kind)
    assert findings(json.loads(json.dumps(SAMPLES[kind])))[0].occurrence == found.occurrence
    other = json.loads(json.dumps(SAMPLES[kind]).replace("666666666666", "777777777777"))
    assert findings(other)[0].fingerprint != found.fingerprint


@pytest.mark.parametrize(
    "event", [{}, {"detail-type": "Something"}, {"detail-type": "GuardDuty Finding", "detail": {}}]
)
def test_refuses_what_is_no_finding(event: Mapping[str, Any]) -> None:
    with pytest.raises(UnknownFindingError):
        findings(event)


def test_security_hub_may_tell_several_at_once() -> None:
    event = json.loads(json.dumps(SAMPLES["security-hub"]))
    event["detail"]["findings"] *= 2
    event["detail"]["findings"][1] = {**event["detail"]["findings"][1], "AwsAccountId": "777777777777"}
    assert [one.account for one in findings(event)] == ["666666666666", "777777777777"]


def test_resources_that_fail_the_same_control_are_one_incident() -> None:
    both = [_one("config", resourceId=name) for name in ("a-bucket", "another")]
    assert len({one.fingerprint for one in both}) == 1
    assert len({one.occurrence for one in both}) == 2


def test_names_what_can_be_contained() -> None:
    found = _one(
        "guardduty",
        resource={
            "resourceType": "Instance",
            "instanceDetails": {"instanceId": "i-1", "tags": [{"key": "tenant", "value": "acme"}]},
            "accessKeyDetails": {"accessKeyId": "ASIAX", "principalId": "AROA:jo", "userName": "r", "userType": "Role"},
            "lambdaDetails": {"functionArn": "arn:f"},
            "rdsDbInstanceDetails": {"dbInstanceIdentifier": "db"},
            "s3BucketDetails": [{"name": "b", "s3ObjectDetails": [{"key": "acme/1"}]}],
        },
        service={"action": {"networkConnectionAction": {"remoteIpDetails": {"ipAddressV4": "192.0.2.9"}}}},
    )
    assert {(one.kind, one.id) for one in found.subjects} == {
        ("instance", "i-1"),
        ("session", "AROA:jo"),
        ("access-key", "ASIAX"),
        ("role", "r"),
        ("function", "arn:f"),
        ("database", "db"),
        ("bucket", "b"),
        ("object", "b/acme/1"),
        ("address", "192.0.2.9"),
    }


def test_a_title_is_one_line_of_bounded_length() -> None:
    assert _one("guardduty", title="a\nb " + "x" * 999).title.startswith("a b xxx")
    assert len(_one("guardduty", title="x" * 999).title) == LONGEST_TITLE


def test_reads_moments_as_each_service_writes_them() -> None:
    for text in ("2026-03-02T09:10:00.000Z", "2026-03-02T09:10:00Z", "2026-03-02T09:10:00.000+0000"):
        assert str(moment(text)) == "2026-03-02 09:10:00+00:00"
    assert str(moment("Mar 2, 2026, 9:10:00 AM")) == "2026-03-02 09:10:00+00:00"
    assert moment("soon") is None


# ------------------------------------------------------------------------------------------------------------- scores


@pytest.mark.parametrize(
    ("kind", "detail", "priority"),
    [
        ("guardduty", {}, Priority.P0),
        ("guardduty", {"severity": 9.1}, Priority.P0),
        ("guardduty", {"severity": 5}, Priority.P1),
        ("guardduty", {"severity": 2}, Priority.P3),
        ("root", {}, Priority.P0),
        ("break-glass", {}, Priority.P1),
        ("access-analyzer", {}, Priority.P1),
        ("access-analyzer", {"isPublic": True}, Priority.P0),
        ("macie", {}, Priority.P1),
        ("inspector", {}, Priority.P2),
        ("inspector", {"severity": "HIGH"}, Priority.P3),
        ("security-hub", {}, Priority.P2),
        ("config", {}, Priority.P3),
        ("unused-access", {}, Priority.P3),
        ("alarm", {}, Priority.P2),
    ],
)
def test_scores_by_the_table(kind: str, detail: Mapping[str, Any], priority: Priority) -> None:
    assert score(_one(kind, **detail)).priority is priority


def _alarm(description: str, namespace: str = "AWS/Lambda", name: str = "a") -> dict[str, Any]:
    metrics = [{"id": "m", "metricStat": {"metric": {"namespace": namespace, "name": "x"}}}]
    detail = {
        "alarmName": name,
        "configuration": {"description": description, "metrics": metrics},
        "state": {"value": "ALARM", "timestamp": "2026-03-02T09:14:00.000+0000"},
    }
    return {**SAMPLES["alarm"], "detail": detail}


def test_tells_objective_canary_and_other_alarms_apart() -> None:
    burn = "The error budget of 99.9 % burns {} times too fast: it matters."
    kinds = {
        ("objective", Priority.P1): _alarm(burn.format("14.4")),
        ("objective", Priority.P2): _alarm(burn.format("6")),
        ("canary", Priority.P1): _alarm("It does not answer.", "CloudWatchSynthetics"),
        ("alarm", Priority.P2): _alarm("Too many errors."),
    }
    for (kind, priority), event in kinds.items():
        (found,) = findings(event)
        assert (found.kind, score(found).priority) == (kind, priority)
        assert score(found, quiet=frozenset({"666666666666"})).priority is Priority.P3


def test_an_attack_is_as_grave_where_no_customer_is_served() -> None:
    assert score(_one("guardduty"), quiet=frozenset({"666666666666"})).priority is Priority.P0


def test_half_of_an_alarm_and_alarms_about_the_handling_itself_open_nothing() -> None:
    assert ignored(_alarm("Part of a burn-rate alarm: 6 times over 6 hours."), own_alarms="security-incidents")
    assert ignored(_alarm("Late.", name="security-incidents-Late1"), own_alarms="security-incidents")
    assert not ignored(_alarm("Errors."), own_alarms="security-incidents")
    assert not ignored(SAMPLES["guardduty"], own_alarms="")


def test_every_kind_has_a_rule_for_every_severity() -> None:
    for kind in {rule.kind for rule in RULES}:
        severities = [rule.severity for rule in RULES if rule.kind == kind]
        assert severities == sorted(severities, reverse=True)
        assert severities[-1] == 0


# ------------------------------------------------------------------------------------------------------------ tenants


def _about(*subjects: Subject, account: str = "666666666666") -> Finding:
    found = _one("guardduty")
    return Finding(**{**found.__dict__, "subjects": subjects, "account": account})


def test_names_tenants_that_tags_and_keys_name() -> None:
    tagged = Subject(kind="instance", id="i-1", tenant="acme")
    thing = Subject(kind="object", id="docs/beta/0123")
    bucket = Subject(kind="bucket", id="docs")
    found = affected(_about(tagged, thing, bucket), stages=STAGES, tenant_buckets=["docs"])
    assert (found.tenants, found.unknown) == (("acme", "beta"), "")


def test_says_that_others_are_unknown_where_a_resource_is_shared() -> None:
    found = affected(_about(Subject(kind="role", id="api"), Subject(kind="x", id="y", tenant="acme")), stages=STAGES)
    assert found.tenants == ("acme",)
    assert "role of live" in found.unknown
    assert str(found).startswith("acme; others unknown")


@pytest.mark.parametrize("key", ["docs/ACME/1", "docs/../1", "docs/*/1", "other/acme/1"])
def test_takes_no_tenant_from_a_key_that_could_not_be_one(key: str) -> None:
    found = affected(_about(Subject(kind="object", id=key)), stages=STAGES, tenant_buckets=["docs"])
    assert found.tenants == ()
    assert found.unknown


def test_nobody_is_affected_where_no_customer_is() -> None:
    found = affected(_about(Subject(kind="role", id="x"), account="333333333333"), stages=STAGES)
    assert str(found) == "none"


def test_several_findings_affect_all_whom_each_affects() -> None:
    one = affected(_about(Subject(kind="x", id="y", tenant="b")), stages=STAGES)
    other = affected(_about(Subject(kind="x", id="y", tenant="a"), Subject(kind="role", id="z")), stages=STAGES)
    assert merged([one, other, other]).tenants == ("a", "b")
    assert merged([one, other, other]).unknown.count("role") == 1


def test_the_schema_of_a_record_takes_the_example() -> None:
    schema = json.loads((ROOT / "docs" / "incident.schema.json").read_text(encoding="utf-8"))
    example = json.loads((ROOT / "docs" / "incident.example.json").read_text(encoding="utf-8"))
    validator = jsonschema_rs.Draft202012Validator(schema)
    validator.validate(example)
    for name in example:
        assert not validator.is_valid({key: value for key, value in example.items() if key != name}), name
