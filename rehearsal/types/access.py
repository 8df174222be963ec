"""Systems Manager beyond its parameters, instances, IAM odds and ends."""

from __future__ import annotations

from typing import Any

from rehearsal.emulator.spec import Context, Props, made_up, named, spec, text


def _document(props: Props, context: Context) -> Props:
    content = props["Content"]
    return {
        "Name": props.get("Name") or context.name(),
        "Content": text(content if isinstance(content, str) else dict(content)),
    }


def _new_version(identity: str, props: Props, _attributes: Any) -> Props:
    content = props["Content"]
    return {
        "Name": identity,
        "Content": text(content if isinstance(content, str) else dict(content)),
        "DocumentVersion": "$LATEST",
    }


def _newest_is_default(context: Context, identity: str, _props: Props, answer: Any) -> None:
    if not answer:
        ssm = context.client("ssm")
        versions = ssm.describe_document(Name=identity)["Document"]
        ssm.update_document_default_version(Name=identity, DocumentVersion=versions["LatestVersion"])


spec(
    "AWS::SSM::Document",
    "ssm",
    "create_document",
    "DocumentDescription.Name",
    drop=("UpdateMethod", "Content"),
    extra=_document,
    after=_newest_is_default,
    update="update_document",
    update_with=_new_version,
    delete="delete_document",
    delete_with=lambda i, _p, _a: {"Name": i},
)
spec(
    "AWS::SSM::MaintenanceWindow",
    "ssm",
    "create_maintenance_window",
    "WindowId",
    delete="delete_maintenance_window",
    delete_with=lambda i, _p, _a: {"WindowId": i},
)
spec(
    "AWS::SSM::MaintenanceWindowTarget",
    "ssm",
    "register_target_with_maintenance_window",
    "WindowTargetId",
    delete="deregister_target_from_maintenance_window",
    delete_with=lambda i, p, _a: {"WindowId": p["WindowId"], "WindowTargetId": i},
)
spec(
    "AWS::SSM::MaintenanceWindowTask",
    "ssm",
    "register_task_with_maintenance_window",
    "WindowTaskId",
    delete="deregister_task_from_maintenance_window",
    delete_with=lambda i, p, _a: {"WindowId": p["WindowId"], "WindowTaskId": i},
)


def _patch_groups(context: Context, identity: str, props: Props, _answer: Any) -> None:
    for group in props.get("PatchGroups") or []:
        context.client("ssm").register_patch_baseline_for_patch_group(BaselineId=identity, PatchGroup=group)


def _leave_patch_groups(context: Context, identity: str, props: Props) -> None:
    for group in props.get("PatchGroups") or []:
        context.client("ssm").deregister_patch_baseline_for_patch_group(BaselineId=identity, PatchGroup=group)


spec(
    "AWS::SSM::PatchBaseline",
    "ssm",
    "create_patch_baseline",
    "BaselineId",
    attributes={"Id": "BaselineId"},
    drop=("PatchGroups", "DefaultBaseline", "Tags"),
    after=_patch_groups,
    before_delete=_leave_patch_groups,
    delete="delete_patch_baseline",
    delete_with=lambda i, _p, _a: {"BaselineId": i},
)
spec(
    "AWS::SSM::Association",
    "ssm",
    "create_association",
    made_up("association-"),
    attributes={"AssociationId": made_up("association-")},
    recorded=True,
)
spec("AWS::SSM::ResourceDataSync", "ssm", "create_resource_data_sync", named("SyncName"), recorded=True)
spec(
    "AWS::EC2::Instance",
    "ec2",
    "run_instances",
    "Instances[0].InstanceId",
    drop=("Tags",),
    extra=lambda p, _c: {
        "MinCount": 1,
        "MaxCount": 1,
        **({"TagSpecifications": [{"ResourceType": "instance", "Tags": p["Tags"]}]} if p.get("Tags") else {}),
        **({"IamInstanceProfile": {"Name": p["IamInstanceProfile"]}} if p.get("IamInstanceProfile") else {}),
    },
    attributes={"PrivateIp": "Instances[0].PrivateIpAddress", "InstanceId": "Instances[0].InstanceId"},
    delete="terminate_instances",
    delete_with=lambda i, _p, _a: {"InstanceIds": [i]},
)
spec(
    "AWS::IAM::ServiceLinkedRole",
    "iam",
    "create_service_linked_role",
    "Role.RoleName",
    attributes={"RoleName": "Role.RoleName"},
    delete="delete_service_linked_role",
    delete_with=lambda i, _p, _a: {"RoleName": i},
)
spec(
    "AWS::IAM::OIDCProvider",
    "iam",
    "create_open_id_connect_provider",
    "OpenIDConnectProviderArn",
    attributes={"Arn": "OpenIDConnectProviderArn"},
    rename={"ClientIdList": "ClientIDList"},
    delete="delete_open_id_connect_provider",
    delete_with=lambda i, _p, _a: {"OpenIDConnectProviderArn": i},
)
spec(
    "AWS::AccessAnalyzer::Analyzer",
    "accessanalyzer",
    "create_analyzer",
    lambda p, _r, c: c.arn("access-analyzer", f"analyzer/{p.get('AnalyzerName') or c.name()}"),
    extra=lambda p, c: {"analyzerName": p.get("AnalyzerName") or c.name()},
    recorded=True,
)
