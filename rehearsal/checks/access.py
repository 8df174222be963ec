"""Roles and policies, Systems Manager, instances, functions."""

from __future__ import annotations

import json
from typing import Any

from rehearsal.checks import Resource, View, described


def _role(iam: Any, resource: Resource, _view: View) -> Any:
    found = iam.get_role(RoleName=resource.id)["Role"]
    attached = iam.list_attached_role_policies(RoleName=resource.id)["AttachedPolicies"]
    names = iam.list_role_policies(RoleName=resource.id)["PolicyNames"]
    policies = [iam.get_role_policy(RoleName=resource.id, PolicyName=name) for name in names]
    return {
        **found,
        "PermissionsBoundary": found.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
        "ManagedPolicyArns": [item["PolicyArn"] for item in attached],
        "Policies": policies,
    }


def _managed_policy(iam: Any, resource: Resource, _view: View) -> Any:
    found = iam.get_policy(PolicyArn=resource.id)["Policy"]
    version = iam.get_policy_version(PolicyArn=resource.id, VersionId=found["DefaultVersionId"])["PolicyVersion"]
    holders = iam.list_entities_for_policy(PolicyArn=resource.id)
    return {
        **found,
        "ManagedPolicyName": found["PolicyName"],
        "PolicyDocument": version["Document"],
        "Roles": [item["RoleName"] for item in holders.get("PolicyRoles", [])],
    }


def _inline_policy(iam: Any, resource: Resource, _view: View) -> Any:
    wanted = resource.properties
    for role in wanted.get("Roles") or []:
        found = iam.get_role_policy(RoleName=role, PolicyName=wanted["PolicyName"])
        return {**found, "Roles": wanted["Roles"]}
    raise LookupError(resource.id)


def _profile(iam: Any, resource: Resource, _view: View) -> Any:
    found = iam.get_instance_profile(InstanceProfileName=resource.id.rsplit("/", 1)[-1])["InstanceProfile"]
    return {**found, "Roles": [role["RoleName"] for role in found["Roles"]]}


def _parameter(ssm: Any, resource: Resource, _view: View) -> Any:
    found = ssm.get_parameter(Name=resource.id)["Parameter"]
    for item in ssm.describe_parameters(ParameterFilters=[{"Key": "Name", "Values": [resource.id]}])["Parameters"]:
        return {**item, **found}
    return found


def _document(ssm: Any, resource: Resource, _view: View) -> Any:
    found = ssm.describe_document(Name=resource.id)["Document"]
    content = ssm.get_document(Name=resource.id)["Content"]
    return {**found, "Content": content}


def _by_id(operation: str, member: str, name: str) -> Any:
    def ask(ssm: Any, resource: Resource, _view: View) -> Any:
        arguments = {"WindowId": resource.properties["WindowId"]} if "WindowId" in resource.properties else {}
        for found in getattr(ssm, operation)(**arguments)[member]:
            if found.get(name) == resource.id:
                return found
        raise LookupError(resource.id)

    return ask


def _baseline(ssm: Any, resource: Resource, view: View) -> Any:
    found = _by_id("describe_patch_baselines", "BaselineIdentities", "BaselineId")(ssm, resource, view)
    groups = [
        group
        for group in resource.properties.get("PatchGroups") or []
        if ssm.get_patch_baseline_for_patch_group(
            PatchGroup=group, OperatingSystem=resource.properties.get("OperatingSystem", "WINDOWS")
        ).get("BaselineId")
        == resource.id
    ]
    found.pop("DefaultBaseline", None)  # no operation here changes it
    return {**found, "Name": found["BaselineName"], "Description": found["BaselineDescription"], "PatchGroups": groups}


def _instance(ec2: Any, resource: Resource, _view: View) -> Any:
    found = ec2.describe_instances(InstanceIds=[resource.id])["Reservations"]
    instances = [item for reservation in found for item in reservation["Instances"]]
    if not instances or instances[0]["State"]["Name"] in ("terminated", "shutting-down"):
        raise LookupError(resource.id)
    instance = instances[0]
    profile = str(instance.get("IamInstanceProfile", {}).get("Arn", "")).rsplit("/", 1)[-1]
    return {
        **instance,
        "SecurityGroupIds": [group["GroupId"] for group in instance.get("SecurityGroups", [])],
        "IamInstanceProfile": profile or None,
    }


def _launch_template(ec2: Any, resource: Resource, _view: View) -> Any:
    found = ec2.describe_launch_template_versions(LaunchTemplateId=resource.id, Versions=["$Latest"])
    return found["LaunchTemplateVersions"][0]


def _scaling_group(autoscaling: Any, resource: Resource, _view: View) -> Any:
    found = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[resource.id])["AutoScalingGroups"]
    if not found:
        raise LookupError(resource.id)
    return {**found[0], "VPCZoneIdentifier": str(found[0].get("VPCZoneIdentifier", "")).split(",")}


def _function(lambda_: Any, resource: Resource, _view: View) -> Any:
    found = lambda_.get_function_configuration(FunctionName=resource.id)
    concurrency = lambda_.get_function_concurrency(FunctionName=resource.id)
    return {
        **found,
        "Layers": [layer["Arn"] for layer in found.get("Layers", [])],
        "KmsKeyArn": found.get("KMSKeyArn"),
        "ReservedConcurrentExecutions": concurrency.get("ReservedConcurrentExecutions"),
    }


def _permission(lambda_: Any, resource: Resource, _view: View) -> Any:
    wanted = resource.properties
    policy = json.loads(lambda_.get_policy(FunctionName=wanted["FunctionName"])["Policy"])
    for statement in policy["Statement"]:
        principal = statement["Principal"]
        who = next(iter(principal.values())) if isinstance(principal, dict) else principal
        if statement["Sid"] == resource.id or str(wanted["Principal"]) in str(who):
            conditions = statement.get("Condition", {})
            values = {key: value for operator in conditions.values() for key, value in operator.items()}
            source = next((value for key, value in values.items() if key.lower() == "aws:sourcearn"), None)
            account = next((value for key, value in values.items() if key.lower() == "aws:sourceaccount"), None)
            if wanted.get("SourceArn") in (None, source):
                return {
                    "Action": statement["Action"],
                    "FunctionName": wanted["FunctionName"],
                    "Principal": wanted["Principal"],
                    "SourceArn": source,
                    "SourceAccount": account,
                }
    raise LookupError(resource.id)


def _mapping(lambda_: Any, resource: Resource, _view: View) -> Any:
    found = lambda_.get_event_source_mapping(UUID=resource.id)
    return {**found, "FunctionName": found["FunctionArn"], "Enabled": found.get("State") in ("Enabled", "Enabling")}


described("AWS::IAM::Role", "iam", _role)
described("AWS::IAM::ManagedPolicy", "iam", _managed_policy)
described("AWS::IAM::Policy", "iam", _inline_policy)
described("AWS::IAM::InstanceProfile", "iam", _profile)
described(
    "AWS::IAM::OIDCProvider",
    "iam",
    lambda iam, r, _v: iam.get_open_id_connect_provider(OpenIDConnectProviderArn=r.id),
)
described("AWS::SSM::Parameter", "ssm", _parameter)
described("AWS::SSM::Document", "ssm", _document)
described("AWS::SSM::MaintenanceWindow", "ssm", _by_id("describe_maintenance_windows", "WindowIdentities", "WindowId"))
described(
    "AWS::SSM::MaintenanceWindowTarget",
    "ssm",
    _by_id("describe_maintenance_window_targets", "Targets", "WindowTargetId"),
)
described(
    "AWS::SSM::MaintenanceWindowTask", "ssm", _by_id("describe_maintenance_window_tasks", "Tasks", "WindowTaskId")
)
described("AWS::SSM::PatchBaseline", "ssm", _baseline)
described("AWS::EC2::Instance", "ec2", _instance)
described("AWS::EC2::LaunchTemplate", "ec2", _launch_template)
described("AWS::AutoScaling::AutoScalingGroup", "autoscaling", _scaling_group)
described("AWS::Lambda::Function", "lambda", _function)
described("AWS::Lambda::Permission", "lambda", _permission)
described("AWS::Lambda::EventSourceMapping", "lambda", _mapping)
described(
    "AWS::Lambda::LayerVersion",
    "lambda",
    lambda lambda_, r, _v: lambda_.get_layer_version_by_arn(Arn=r.id),
)
