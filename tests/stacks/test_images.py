"""Images: one repository for all stages, that no stage can change and that the organization alone can read."""

from __future__ import annotations

import json

from assembly import Assembly, Resource
from tests.fixture_deployment import FIXTURE


def _repository(assembly: Assembly) -> Resource:
    ((_, found),) = assembly.resources("AWS::ECR::Repository")
    return found


def test_stages_pull_and_nobody_pushes(assembly: Assembly) -> None:
    statements = _repository(assembly).properties["RepositoryPolicyText"]["Statement"]
    for statement in statements:
        assert all(action.split(":")[1].startswith(("Batch", "Get")) for action in statement["Action"])
        text = json.dumps(statement)
        for stage in FIXTURE.stages:
            assert stage.account in text
        assert FIXTURE.accounts.log_archive not in text
    (people,) = (s for s in statements if "AWS" in s["Principal"])
    assert FIXTURE.organization is not None
    assert people["Condition"] == {"StringEquals": {"aws:PrincipalOrgID": FIXTURE.organization.id}}


def test_tags_stay_and_old_images_go(assembly: Assembly) -> None:
    properties = _repository(assembly).properties
    assert properties["ImageTagMutability"] == "IMMUTABLE"
    rules = json.loads(properties["LifecyclePolicy"]["LifecyclePolicyText"])["rules"]
    assert [rule["selection"]["tagStatus"] for rule in rules] == ["untagged", "any"]


def test_images_stay_in_the_home_region_of_the_deployment_account(assembly: Assembly) -> None:
    stack = assembly["deployment-images"]
    assert (stack.account, stack.region) == (FIXTURE.accounts.deployment, FIXTURE.home.name)
    assert stack.termination_protection
