"""Detection in every account and region, and the order in which AWS accepts it."""

from __future__ import annotations

import json

import pytest

from assembly import Assembly, Stack
from assembly.event_pattern import matches
from assembly.sample_findings import SAMPLES
from tests.fixture_deployment import FIXTURE


def _only(stack: Stack, kind: str) -> dict[str, object]:
    (found,) = (resource for resource in stack.resources.values() if resource.type == kind)
    return dict(found.properties)


def _comes_before(assembly: Assembly, first: str, then: str) -> bool:
    waiting, seen = [then], set[str]()
    while waiting:
        name = waiting.pop()
        if name == first:
            return True
        if name not in seen:
            seen.add(name)
            waiting += assembly[name].dependencies
    return False


def test_detectors_of_the_administrator_come_before_its_appointment(assembly: Assembly) -> None:
    for suffix in ("", "-recovery", "-edge"):
        assert _comes_before(assembly, f"security-detection{suffix}", "management-detection")
        assert _comes_before(assembly, "management-detection", f"security-organization{suffix}")
        assert _comes_before(assembly, f"management-detection{suffix}", "security-organization")


def test_every_account_sends_from_every_region_as_the_role_that_the_bus_knows(assembly: Assembly) -> None:
    bus = _only(assembly["security-findings"], "AWS::Events::EventBus")
    policy = json.dumps(bus["Policy"])
    for owner, account in FIXTURE.owners.items():
        roles = [r for r in assembly[f"{owner}-detection"].resources.values() if r.type == "AWS::IAM::Role"]
        assert "acme-findings-sender" in [role.properties.get("RoleName") for role in roles]
        assert f"arn:aws:iam::{account}:role/acme-findings-sender" in policy
        for suffix in ("", "-recovery", "-edge"):
            rules = [r for r in assembly[f"{owner}-detection{suffix}"].resources.values() if r.type.endswith("::Rule")]
            assert rules
            for rule in rules:
                (target,) = rule.properties["Targets"]
                assert target["RoleArn"] == f"arn:aws:iam::{account}:role/acme-findings-sender"
                assert target["Arn"] == "arn:aws:events:eu-central-1:100000000003:event-bus/acme-findings"


@pytest.mark.parametrize("kind", SAMPLES)
def test_the_bus_takes_each_kind_and_a_rule_of_the_security_account_sends_it(assembly: Assembly, kind: str) -> None:
    bus = _only(assembly["security-findings"], "AWS::Events::EventBus")
    assert SAMPLES[kind]["detail-type"] in json.dumps(bus["Policy"])
    rules = [r for r in assembly["security-detection"].resources.values() if r.type == "AWS::Events::Rule"]
    assert sum(matches(rule.properties["EventPattern"], SAMPLES[kind]) for rule in rules) == 1


def test_findings_that_their_own_service_tells_are_not_told_again(assembly: Assembly) -> None:
    sample = json.loads(json.dumps(SAMPLES["security-hub"]))
    sample["detail"]["findings"][0]["ProductName"] = "GuardDuty"
    for _, rule in assembly.resources("AWS::Events::Rule"):
        if "EventBusName" not in rule.properties and "event-bus/" in str(rule.properties["Targets"]):
            assert not matches(rule.properties["EventPattern"], sample)


def test_a_reading_break_glass_role_is_seen(assembly: Assembly) -> None:
    for _, rule in assembly.resources("AWS::Events::Rule"):
        if rule.path.endswith(("Findings/BreakGlass", "Findings/Root", "Severe/BreakGlass", "Severe/Root")):
            assert rule.properties["State"] == "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"


def test_undelivered_findings_of_other_accounts_wait_in_the_security_account(assembly: Assembly) -> None:
    for suffix, region in (("", "eu-central-1"), ("-recovery", "eu-west-1"), ("-edge", "us-east-1")):
        policy = json.dumps(_only(assembly[f"security-findings{suffix}"], "AWS::SQS::QueuePolicy"))
        for account in FIXTURE.account_ids:
            assert f"arn:aws:events:{region}:{account}:rule/*" in policy


def test_no_detector_ends_with_its_stack(assembly: Assembly) -> None:
    found = list(assembly.resources("AWS::GuardDuty::Detector", "AWS::SecurityHub::Hub", "AWS::Macie::Session"))
    assert len(found) == 2 * 3 * 3
    for _, resource in found:
        assert resource.definition["DeletionPolicy"] == "RetainExceptOnCreate", resource


def test_every_account_judges_what_it_records_after_it_records(assembly: Assembly) -> None:
    for owner in FIXTURE.owners:
        for suffix in ("", "-recovery", "-edge"):
            pack = _only(assembly[f"{owner}-detection{suffix}"], "AWS::Config::ConformancePack")
            rules = json.loads(str(pack["TemplateBody"]))["Resources"]
            assert len({rule["Properties"]["Source"]["SourceIdentifier"] for rule in rules.values()}) == len(rules) > 15
            assert _comes_before(assembly, f"{owner}-account{suffix}", f"{owner}-detection{suffix}")
