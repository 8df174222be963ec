"""Identity Center: permission sets say what the templates say, and stand where the templates let them."""

from __future__ import annotations

import json
from typing import Any

from rehearsal.checks import Resource, View, check, described


def _permission_set(center: Any, resource: Resource, _view: View) -> Any:
    place = {"InstanceArn": resource.properties["InstanceArn"], "PermissionSetArn": resource.id}
    found = center.describe_permission_set(**place)["PermissionSet"]
    inline = center.get_inline_policy_for_permission_set(**place)["InlinePolicy"]
    references = center.list_customer_managed_policy_references_in_permission_set(**place)
    return {
        **found,
        **place,
        "InlinePolicy": json.loads(inline) if inline else None,
        "CustomerManagedPolicyReferences": references["CustomerManagedPolicyReferences"] or None,
    }


def _assignment(center: Any, resource: Resource, _view: View) -> Any:
    wanted = resource.properties
    found = center.list_account_assignments(
        InstanceArn=wanted["InstanceArn"],
        AccountId=wanted["TargetId"],
        PermissionSetArn=wanted["PermissionSetArn"],
    )["AccountAssignments"]
    for one in found:
        if one["PrincipalId"] == wanted["PrincipalId"]:
            return {
                **one,
                "InstanceArn": wanted["InstanceArn"],
                "TargetId": one["AccountId"],
                "TargetType": "AWS_ACCOUNT",
            }
    raise LookupError(resource.id)


def _group(store: Any, resource: Resource, _view: View) -> Any:
    return store.describe_group(IdentityStoreId=resource.properties["IdentityStoreId"], GroupId=resource.id)


described("AWS::SSO::PermissionSet", "sso-admin", _permission_set)
described("AWS::SSO::Assignment", "sso-admin", _assignment)
described("AWS::IdentityStore::Group", "identitystore", _group)


@check("AWS::SSO::Assignment", says="names a group that is there, or one that the directory brought")
def somebody(resource: Resource, view: View) -> None:
    made = {found.id for found in view.of("AWS::IdentityStore::Group")}
    principal = resource.properties["PrincipalId"]
    assert principal in made or len(principal) >= 36, f"{principal} is no group's id"
