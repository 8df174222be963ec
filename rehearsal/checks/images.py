"""Image repositories as ECR describes them."""

from __future__ import annotations

import json
from typing import Any

from rehearsal.checks import Resource, View, described


def _repository(ecr: Any, resource: Resource, _view: View) -> Any:
    found = ecr.describe_repositories(repositoryNames=[resource.id])["repositories"][0]
    policy = ecr.get_repository_policy(repositoryName=resource.id)["policyText"]
    lifecycle = ecr.get_lifecycle_policy(repositoryName=resource.id)["lifecyclePolicyText"]
    return {
        **found,
        "RepositoryPolicyText": json.loads(policy),
        "LifecyclePolicy": {"LifecyclePolicyText": lifecycle},
    }


described("AWS::ECR::Repository", "ecr", _repository)
