"""Units, policies and where they are attached, accounts and where they stand."""

from __future__ import annotations

import json
from typing import Any

from rehearsal.checks import Resource, View, check, described


def _unit(organizations: Any, resource: Resource, _view: View) -> Any:
    found = organizations.describe_organizational_unit(OrganizationalUnitId=resource.id)["OrganizationalUnit"]
    tags = organizations.list_tags_for_resource(ResourceId=resource.id)["Tags"]
    (parent,) = organizations.list_parents(ChildId=resource.id)["Parents"]
    return {**found, "ParentId": parent["Id"], "Tags": tags}


def _policy(organizations: Any, resource: Resource, _view: View) -> Any:
    found = organizations.describe_policy(PolicyId=resource.id)["Policy"]
    targets = organizations.list_targets_for_policy(PolicyId=resource.id)["Targets"]
    return {
        **found["PolicySummary"],
        "Content": json.loads(found["Content"]),
        "TargetIds": [target["TargetId"] for target in targets],
        "Tags": organizations.list_tags_for_resource(ResourceId=resource.id)["Tags"],
    }


described("AWS::Organizations::OrganizationalUnit", "organizations", _unit)
described("AWS::Organizations::Policy", "organizations", _policy)


@check("Custom::AccountPlacement", says="the account stands in its unit")
def accounts_stand_in_their_units(resource: Resource, view: View) -> None:
    account, unit = resource.properties["AccountId"], resource.properties["ParentId"]
    (parent,) = view.client("organizations", resource).list_parents(ChildId=account)["Parents"]
    assert parent["Id"] == unit, f"{account} stands in {parent['Id']}, not in {unit}"


@check("Custom::SetOrganizationFeatures", says="policy types and trusted services are enabled")
def features_are_enabled(resource: Resource, view: View) -> None:
    organizations = view.client("organizations", resource)
    (root,) = organizations.list_roots()["Roots"]
    enabled = {entry["Type"] for entry in root["PolicyTypes"] if entry["Status"] == "ENABLED"}
    assert set(resource.properties["PolicyTypes"]) <= enabled, f"enabled are only {sorted(enabled)}"
    trusted = organizations.list_aws_service_access_for_organization()["EnabledServicePrincipals"]
    assert set(resource.properties["TrustedServices"]) <= {entry["ServicePrincipal"] for entry in trusted}
