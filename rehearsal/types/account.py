"""Settings of an account that CloudFormation has types for."""

from __future__ import annotations

from rehearsal.emulator.spec import spec

spec(
    "AWS::SSM::ServiceSetting",
    "ssm",
    "update_service_setting",
    lambda p, _r, c: c.arn("ssm", f"servicesetting{p['SettingId']}"),
    attributes={"Arn": lambda p, _r, c: c.arn("ssm", f"servicesetting{p['SettingId']}")},
    update="create",
    delete="reset_service_setting",
    delete_with=lambda _i, p, _a: {"SettingId": p["SettingId"]},
)
