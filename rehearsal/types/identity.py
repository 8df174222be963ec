"""IAM Identity Center: groups, permission sets and who has them where."""

from __future__ import annotations

from typing import Any

from rehearsal.emulator.spec import Context, Props, made_up, spec, text

_WHOSE = ("InstanceArn", "TargetId", "TargetType", "PermissionSetArn", "PrincipalType", "PrincipalId")


def _policies(context: Context, identity: str, props: Props, _answer: Any) -> None:
    center = context.client("sso-admin")
    place = {"InstanceArn": props["InstanceArn"], "PermissionSetArn": identity}
    if props.get("InlinePolicy"):
        policy = props["InlinePolicy"]
        center.put_inline_policy_to_permission_set(
            **place, InlinePolicy=text(policy if isinstance(policy, str) else dict(policy))
        )
    for reference in props.get("CustomerManagedPolicyReferences") or []:
        center.attach_customer_managed_policy_reference_to_permission_set(
            **place,
            CustomerManagedPolicyReference={"Name": reference["Name"], "Path": reference.get("Path", "/")},
        )


spec(
    "AWS::SSO::PermissionSet",
    "sso-admin",
    "create_permission_set",
    "PermissionSet.PermissionSetArn",
    attributes={"PermissionSetArn": "PermissionSet.PermissionSetArn"},
    drop=("InlinePolicy", "CustomerManagedPolicyReferences"),
    after=_policies,
    delete="delete_permission_set",
    delete_with=lambda i, p, _a: {"InstanceArn": p["InstanceArn"], "PermissionSetArn": i},
)
spec(
    "AWS::SSO::Assignment",
    "sso-admin",
    "create_account_assignment",
    lambda p, _r, _c: "|".join(str(p[name]) for name in _WHOSE),
    delete="delete_account_assignment",
    delete_with=lambda _i, p, _a: {name: p[name] for name in _WHOSE},
)
spec(
    "AWS::SSO::InstanceAccessControlAttributeConfiguration",
    "sso-admin",
    "create_instance_access_control_attribute_configuration",
    made_up("attributes-"),
    drop=("AccessControlAttributes",),
    extra=lambda p, _c: {
        "InstanceAccessControlAttributeConfiguration": {"AccessControlAttributes": p["AccessControlAttributes"]}
    },
    recorded=True,
)
spec(
    "AWS::IdentityStore::Group",
    "identitystore",
    "create_group",
    "GroupId",
    attributes={"GroupId": "GroupId"},
    delete="delete_group",
    delete_with=lambda i, p, _a: {"IdentityStoreId": p["IdentityStoreId"], "GroupId": i},
)
