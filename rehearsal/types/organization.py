"""The organization's units, accounts and policies, service-wide switches of an account, and Lambda code signing."""

from __future__ import annotations

from typing import Any

from rehearsal.emulator.spec import Context, Props, made_up, spec, text


def _attached(context: Context, identity: str, props: Props, _answer: Any) -> None:
    organizations = context.client("organizations")
    for target in props.get("TargetIds") or []:
        organizations.attach_policy(PolicyId=identity, TargetId=str(target))


def _detach(context: Context, identity: str, _props: Props) -> None:
    organizations = context.client("organizations")
    for target in organizations.list_targets_for_policy(PolicyId=identity)["Targets"]:
        organizations.detach_policy(PolicyId=identity, TargetId=target["TargetId"])


spec(
    "AWS::Organizations::OrganizationalUnit",
    "organizations",
    "create_organizational_unit",
    "OrganizationalUnit.Id",
    attributes={"Id": "OrganizationalUnit.Id", "Arn": "OrganizationalUnit.Arn"},
    delete="delete_organizational_unit",
    delete_with=lambda i, _p, _a: {"OrganizationalUnitId": i},
)
spec(
    "AWS::Organizations::Policy",
    "organizations",
    "create_policy",
    "Policy.PolicySummary.Id",
    drop=("Content", "TargetIds"),
    extra=lambda p, _c: {"Content": text(p["Content"])},
    attributes={"Id": "Policy.PolicySummary.Id", "Arn": "Policy.PolicySummary.Arn"},
    after=_attached,
    update="update_policy",
    update_with=lambda i, _p, _a: {"PolicyId": i},
    before_delete=_detach,
    delete="delete_policy",
    delete_with=lambda i, _p, _a: {"PolicyId": i},
)

spec(
    "AWS::GuardDuty::Detector",
    "guardduty",
    "create_detector",
    "DetectorId",
    attributes={"Id": "DetectorId"},
    update="update_detector",
    update_with=lambda i, _p, _a: {"DetectorId": i},
    delete="delete_detector",
    delete_with=lambda i, _p, _a: {"DetectorId": i},
)
spec(
    "AWS::SecurityHub::Hub",
    "securityhub",
    "enable_security_hub",
    lambda _p, _r, c: c.arn("securityhub", "hub/default"),
    delete="disable_security_hub",
)
spec(
    "AWS::Lambda::CodeSigningConfig",
    "lambda",
    "create_code_signing_config",
    made_up("csc-"),
    recorded=True,
    attributes={
        "CodeSigningConfigArn": lambda p, r, c: c.arn("lambda", "code-signing-config:" + made_up("csc-")(p, r, c))
    },
)
