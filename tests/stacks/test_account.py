"""What holds in every account and region, whatever runs there."""

from __future__ import annotations

import re
from pathlib import Path

from assembly import Assembly
from stacks.names import ORGANIZATION, Log, Names
from tests.fixture_deployment import FIXTURE

NAMES = Names(FIXTURE)
PLACES = {(account, region) for account in FIXTURE.account_ids for region in FIXTURE.regions}


def test_every_account_is_recorded_in_every_region_and_its_global_resources_once(assembly: Assembly) -> None:
    recorders = list(assembly.resources("AWS::Config::ConfigurationRecorder"))
    assert {(stack.account, stack.region) for stack, _ in recorders} == PLACES
    for stack, recorder in recorders:
        group = recorder.properties["RecordingGroup"]
        home = stack.region == FIXTURE.home.name
        assert group == {"AllSupported": True, "IncludeGlobalResourceTypes": home}


def test_every_record_goes_to_the_log_archive(assembly: Assembly) -> None:
    channels = list(assembly.resources("AWS::Config::DeliveryChannel"))
    assert {(stack.account, stack.region) for stack, _ in channels} == PLACES
    bucket = NAMES.delivery_bucket(ORGANIZATION, Log.CONFIG)
    assert {channel.properties["S3BucketName"] for _, channel in channels} == {bucket}


def test_the_recorders_role_is_made_once_in_each_account_and_before_any_recorder(assembly: Assembly) -> None:
    roles = [stack for stack, role in assembly.resources("AWS::IAM::ServiceLinkedRole") if "account" in stack.name]
    assert sorted(stack.account for stack in roles) == sorted(FIXTURE.account_ids)
    for first in roles:
        for stack in assembly.stacks:
            recorded = any(r.type == "AWS::Config::ConfigurationRecorder" for r in stack.resources.values())
            if recorded and stack.account == first.account and stack is not first:
                assert _after(assembly, stack.name, first.name), stack.name


def _after(assembly: Assembly, later: str, earlier: str) -> bool:
    needs = assembly[later].dependencies
    return earlier in needs or any(_after(assembly, name, earlier) for name in needs)


def test_every_account_is_set_up_once_from_its_home_region(assembly: Assembly) -> None:
    settings = list(assembly.resources("Custom::ApplyAccountSettings"))
    assert sorted(stack.account for stack, _ in settings) == sorted(FIXTURE.account_ids)
    for stack, one in settings:
        assert stack.region == FIXTURE.home.name
        assert one.properties["AccountId"] == stack.account
        assert {item["Region"] for item in one.properties["Regions"]} == set(FIXTURE.regions)


def test_only_the_home_region_of_a_stage_may_reach_the_internet(assembly: Assembly) -> None:
    stages = {stage.account for stage in FIXTURE.stages}
    for stack, one in assembly.resources("Custom::ApplyAccountSettings"):
        for item in one.properties["Regions"]:
            network = stack.account in stages and item["Region"] == FIXTURE.home.name
            assert item["BlockInternet"] is not network, (stack.name, item)


def test_volumes_of_every_region_have_a_key_that_auto_scaling_may_use(assembly: Assembly) -> None:
    aliases = [
        (stack.account, stack.region)
        for stack, alias in assembly.resources("AWS::KMS::Alias")
        if alias.properties["AliasName"] == NAMES.key_alias("volumes")
    ]
    assert sorted(aliases) == sorted(PLACES)


def test_what_protects_an_account_outlives_its_stack(assembly: Assembly) -> None:
    for kind in ("AWS::SSM::ServiceSetting", "AWS::IAM::ServiceLinkedRole"):
        for stack, resource in assembly.resources(kind):
            assert resource.definition["DeletionPolicy"] == "Retain", f"{stack.name}: {resource}"


def test_the_list_of_what_sets_what_is_true(assembly: Assembly) -> None:
    text = (Path(__file__).parents[2] / "docs" / "decisions" / "account-settings.md").read_text(encoding="utf-8")
    cells = " ".join(line.split("|")[3] for line in text.splitlines() if line.startswith("| "))
    types = {one.type for _, one in assembly.resources()}
    assert set(re.findall(r"`(AWS::[\w:]+)`", cells)) <= types
    written = {
        action
        for stack, policy in assembly.resources("AWS::IAM::ManagedPolicy")
        if "/Settings/" in policy.path
        for statement in policy.properties["PolicyDocument"]["Statement"]
        if str(statement.get("Sid", "")).startswith("Set")
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
        if not action.partition(":")[2].startswith(("Get", "Describe"))
    }
    assert set(re.findall(r"`(\w+:[A-Z]\w+)`", cells)) == written
