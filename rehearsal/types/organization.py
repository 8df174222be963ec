"""Service-wide switches of an account, and Lambda code signing."""

from __future__ import annotations

from rehearsal.emulator.spec import made_up, spec

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
