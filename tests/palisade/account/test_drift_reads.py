"""What drift detection may read: all that comparing needs, and nothing that people put in."""

from __future__ import annotations

import fnmatch

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER
from palisade.account.drift_reads import ACTIONS

from assembly import Assembly

GRANTED_ELSEWHERE = frozenset({"ssm:GetParameters"})
FOREIGN = frozenset(
    {
        "amplify",
        "apprunner",
        "appsync",
        "lakeformation",
        "managed-fleets",
        "resolverquerylogging",
        "resource-groups",
        "vpc-lattice",
    }
)
"""Services that handlers of types over several services also name, though no resource here belongs to them."""
UNREAD = {
    "cognito-idp:ListUserPoolClientSecrets": "no client here has a secret",
    "secretsmanager:GetSecretValue": "the value is generated, and no template holds it",
    "kms:Decrypt": "granted for functions' environments alone",
    "glue:GetConnection": "it shows passwords, and no database here is reached through a connection",
    "ec2:GetVerifiedAccessInstanceWebAcl": "no web ACL here protects such an instance",
}
CONTENT = (
    "athena:GetQueryResults",
    "dynamodb:GetItem",
    "dynamodb:Query",
    "dynamodb:Scan",
    "kms:Decrypt",
    "logs:GetLogEvents",
    "logs:FilterLogEvents",
    "s3:GetObject",
    "s3:GetObjectVersion",
    "secretsmanager:GetSecretValue",
    "sqs:ReceiveMessage",
    "ssm:GetParameter",
    "ssm:GetParameters",
    "states:GetExecutionHistory",
)


def _allowed(action: str) -> bool:
    return any(fnmatch.fnmatch(action.lower(), one.lower()) for one in ACTIONS)


def test_reads_whatever_a_comparison_of_these_templates_needs(assembly: Assembly) -> None:
    types = {
        r.type
        for s in assembly.stacks
        for r in s.resources.values()
        if not r.type.startswith(("Custom::", "AWS::CDK::", "AWS::CloudFormation::"))
    }
    missing = set()
    for name in types:
        handlers = PROVIDER_SCHEMA_MANAGER.get_resource_schema("eu-west-1", name).schema.get("handlers", {})
        for action in handlers.get("read", {}).get("permissions", []):
            service, _, verb = action.partition(":")
            reads = verb.startswith(("Describe", "Get", "List")) and service not in FOREIGN
            if reads and not _allowed(action) and action not in GRANTED_ELSEWHERE | UNREAD.keys():
                missing.add(f"{name}: {action}")
    assert not missing, f"add to constructs/palisade/account/drift_reads.py: {sorted(missing)}"


def test_reads_no_content() -> None:
    assert [action for action in CONTENT if _allowed(action)] == []
