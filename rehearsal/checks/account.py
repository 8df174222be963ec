"""What holds in a whole account."""

from __future__ import annotations

import datetime
import re
from typing import Any

from rehearsal.checks import Resource, View, check, described, scenario

described(
    "AWS::SSM::ServiceSetting",
    "ssm",
    lambda ssm, r, _v: ssm.get_service_setting(SettingId=r.properties["SettingId"])["ServiceSetting"],
)


def _without_account(params: dict[str, Any], **_: Any) -> None:
    """S3 Control puts the account before the host name, which leads nowhere here."""
    params["url"] = re.sub(r"//\d{12}\.", "//", params["url"])


@check("Custom::ApplyAccountSettings", says="demands strong passwords, blocks public buckets and names the contacts")
def account_is_set(resource: Resource, view: View) -> None:
    policy = view.client("iam", resource).get_account_password_policy()["PasswordPolicy"]
    wanted = resource.properties["PasswordPolicy"]
    wrong = {
        name: policy.get(name) for name, value in wanted.items() if str(policy.get(name)).lower() != str(value).lower()
    }
    assert not wrong, f"the password policy has {wrong}"
    s3control = view.client("s3control", resource)
    s3control.meta.events.register("before-call.s3-control", _without_account, unique_id="without-account")
    block = s3control.get_public_access_block(AccountId=resource.account)
    assert set(block["PublicAccessBlockConfiguration"].values()) == {True}, "buckets could be public"
    account = view.client("account", resource)
    for kind in ("SECURITY", "OPERATIONS", "BILLING"):
        contact = account.get_alternate_contact(AlternateContactType=kind)["AlternateContact"]
        assert contact["EmailAddress"] == resource.properties["Contacts"][kind], f"{kind} is {contact}"


@check("Custom::ApplyAccountSettings", says="encrypts volumes and closes EC2's doors in every region")
def regions_are_set(resource: Resource, view: View) -> None:
    for region in resource.properties["Regions"]:
        ec2 = view.aws.client("ec2", resource.account, region["Region"])
        found = {
            "encryption": ec2.get_ebs_encryption_by_default()["EbsEncryptionByDefault"],
            "key": ec2.get_ebs_default_kms_key_id()["KmsKeyId"],
            "snapshots": ec2.get_snapshot_block_public_access_state()["State"],
            "images": ec2.get_image_block_public_access_state()["ImageBlockPublicAccessState"],
            "tokens": ec2.get_instance_metadata_defaults()["AccountLevel"]["HttpTokens"],
            "serial console": ec2.get_serial_console_access_status()["SerialConsoleAccessEnabled"],
        }
        wanted = {
            "encryption": True,
            "key": region["VolumeKey"],
            "snapshots": "block-all-sharing",
            "images": "block-new-sharing",
            "tokens": "required",
            "serial console": False,
        }
        assert found == wanted, f"{region['Region']}: {found}"
        options = ec2.describe_vpc_block_public_access_options()["VpcBlockPublicAccessOptions"]
        if str(region["BlockInternet"]).lower() == "true":
            assert options["InternetGatewayBlockMode"] == "block-bidirectional", f"{region['Region']}: {options}"


@scenario("a change by hand is counted as drift, and no longer once it is taken back")
def drift_is_counted(view: View) -> None:
    functions = [
        one
        for one in view.of("AWS::Lambda::Function")
        if (one.properties.get("Environment") or {}).get("Variables", {}).get("NAMESPACE") == "Palisade/Drift"
    ]
    for function in functions[:1]:
        group = next(one for one in view.of("AWS::Logs::LogGroup") if one.stack == function.stack)
        logs, cloudformation = view.client("logs", group), view.client("cloudformation", group)
        asked = cloudformation.detect_stack_drift
        _count(function, view)
        asked(StackName=group.stack)
        before = _count(function, view)
        try:
            logs.put_retention_policy(logGroupName=group.id, retentionInDays=1)
            asked(StackName=group.stack)
            planted = _count(function, view)
        finally:
            logs.put_retention_policy(logGroupName=group.id, retentionInDays=int(group.properties["RetentionInDays"]))
        asked(StackName=group.stack)
        assert (planted - before, _count(function, view) - before) == (1, 0), (
            f"{before} before, {planted} with the change"
        )


def _count(function: Resource, view: View) -> int:
    """What one more run of the function counts."""
    cloudwatch = view.client("cloudwatch", function)
    before = _total(cloudwatch)
    answer = view.client("lambda", function).invoke(FunctionName=function.id, Payload=b"{}")
    assert "FunctionError" not in answer, answer["Payload"].read().decode()
    return round(_total(cloudwatch) - before)


def _total(cloudwatch: Any) -> float:
    now = datetime.datetime.now(datetime.UTC)
    found = cloudwatch.get_metric_statistics(
        Namespace="Palisade/Drift",
        MetricName="StacksDrifted",
        StartTime=now - datetime.timedelta(hours=2),
        EndTime=now + datetime.timedelta(hours=1),
        Period=3600,
        Statistics=["Sum"],
    )
    return float(sum(point["Sum"] for point in found["Datapoints"]))
