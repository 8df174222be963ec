"""One stage's account: the policies before its levels, and the sessions on its machines.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-versioning.html
"""

import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

VERSIONS = 5
"""The most that IAM keeps of one policy."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """``policies`` are ARNs and ``sets`` names of permission sets, by level."""

    account: str
    iam: Any
    ssm: Any
    policies: Mapping[str, str]
    sets: Mapping[str, str]

    def stands(self, level: str, policy: Mapping[str, Any]) -> bool:
        """Whether ``policy`` stands before ``level``."""
        arn = self.policies[level]
        version = self.iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        found = self.iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
        return bool((json.loads(unquote(found)) if isinstance(found, str) else found) == policy)

    def put(self, level: str, policy: Mapping[str, Any]) -> None:
        """Put ``policy`` before ``level``, in place of the oldest version where there is no room."""
        arn = self.policies[level]
        versions = self.iam.list_policy_versions(PolicyArn=arn)["Versions"]
        spare = sorted((one for one in versions if not one["IsDefaultVersion"]), key=lambda one: one["CreateDate"])
        for one in spare[: max(len(versions) - VERSIONS + 1, 0)]:
            self.iam.delete_policy_version(PolicyArn=arn, VersionId=one["VersionId"])
        self.iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(policy), SetAsDefault=True)

    def end_sessions(self, level: str, *, but: Collection[str]) -> list[str]:
        """End every session on a machine that was begun under ``level`` by anybody but those named; say whose.

        https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_TerminateSession.html
        """
        owner = re.compile(rf"arn:aws:sts::\d+:assumed-role/AWSReservedSSO_{re.escape(self.sets[level])}_[^/]+/(.+)")
        ended = []
        for page in self.ssm.get_paginator("describe_sessions").paginate(State="Active"):
            for session in page["Sessions"]:
                found = owner.fullmatch(session.get("Owner", ""))
                if found and found[1].casefold() not in but:
                    self.ssm.terminate_session(SessionId=session["SessionId"])
                    ended.append(found[1].casefold())
        return ended


Stages = Callable[[str], Stage]
"""A stage by its name."""
