"""Every account under every detector, in every region, without asking twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import pytest
from cover_accounts.handler import cover
from palisade_runtime.custom_resource import RefusedRequestError, Request

OWN, OTHERS, REGIONS = "333333333333", ["666666666666", "777777777777"], ["eu-west-1", "us-east-1"]
SCANS = {"EC2": "ec2", "ECR": "ecr", "LAMBDA": "lambda", "LAMBDA_CODE": "lambdaCode"}
PLANS = {"S3_DATA_EVENTS": [], "RUNTIME_MONITORING": ["EC2_AGENT_MANAGEMENT"]}


class Services:
    """Detectors of every region, as far as they are used; ``refuse`` names what Inspector leaves out."""

    def __init__(self, *, detector: bool = True, refuse: str = "", stubborn: bool = False) -> None:
        self.detector, self.refuse, self.stubborn = detector, refuse, stubborn
        self.members: defaultdict[str, set[str]] = defaultdict(set)
        self.scanned: defaultdict[str, set[str]] = defaultdict(set)
        self.guardduty: dict[str, dict[str, Any]] = {}
        self.sampled: defaultdict[str, set[str]] = defaultdict(set)
        self.calls: list[str] = []

    def client(self, service: str, region: str | None) -> Any:
        return Client(self, service, str(region))


class Client:
    """One service in one region."""

    def __init__(self, services: Services, name: str, region: str) -> None:
        self._all, self._place, self._region = services, f"{name} {region}", region

    def get_caller_identity(self) -> dict[str, str]:
        return {"Account": OWN}

    def describe_account(self, *, AccountId: str) -> dict[str, Any]:  # noqa: N803
        return {"Account": {"Email": f"{AccountId}@example.com"}}

    def list_detectors(self) -> dict[str, Any]:
        return {"DetectorIds": ["d"] if self._all.detector else []}

    def update_organization_configuration(self, **given: Any) -> None:
        self._all.guardduty[self._place] = given

    def describe_organization_configuration(self, *, DetectorId: str) -> dict[str, Any]:  # noqa: N803
        return {} if self._all.stubborn else {"DetectorId": DetectorId, **self._all.guardduty[self._place]}

    def get_paginator(self, _operation: str) -> Any:
        return self

    def paginate(self, **_given: object) -> list[dict[str, Any]]:
        return [{"members": [{"accountId": account} for account in sorted(self._all.members[self._place])]}]

    def associate_member(self, *, accountId: str) -> None:  # noqa: N803
        self._all.calls.append(f"associate {accountId}")
        self._all.members[self._place].add(accountId)

    def create_member(self, *, account: dict[str, str]) -> None:
        assert account["email"] == f"{account['accountId']}@example.com"
        self._all.calls.append(f"create {account['accountId']}")
        self._all.members[self._place].add(account["accountId"])

    def update_automated_discovery_configuration(self, **given: str) -> None:
        assert given == {"status": "ENABLED", "autoEnableOrganizationMembers": "NONE"}

    def batch_update_automated_discovery_accounts(self, *, accounts: list[dict[str, str]]) -> dict[str, Any]:
        self._all.sampled[self._region] |= {one["accountId"] for one in accounts}
        return {
            "errors": [{"accountId": self._all.refuse, "errorCode": "ACCOUNT_PAUSED"}] if self._all.stubborn else []
        }

    def batch_get_account_status(self, *, accountIds: list[str]) -> dict[str, Any]:  # noqa: N803
        def state(account: str) -> dict[str, Any]:
            on = account in self._all.scanned[self._region]
            return {name: {"status": "ENABLED" if on else "DISABLED"} for name in SCANS.values()}

        return {"accounts": [{"accountId": account, "resourceState": state(account)} for account in accountIds]}

    def enable(self, *, accountIds: list[str], resourceTypes: list[str]) -> dict[str, Any]:  # noqa: N803
        assert resourceTypes == list(SCANS)
        self._all.calls.append(f"enable {' '.join(accountIds)}")
        self._all.scanned[self._region] |= set(accountIds) - {self._all.refuse}
        failed = [one for one in accountIds if one == self._all.refuse]
        return {"failedAccounts": [{"accountId": one, "errorCode": "SSM_UNAVAILABLE"} for one in failed]}


def _request(kind: str = "Create", more: Mapping[str, object] | None = None) -> Request:
    properties = {
        "Accounts": [OWN, *OTHERS],
        "DataAccounts": OTHERS,
        "Regions": REGIONS,
        "MacieRegions": REGIONS,
        "Scans": list(SCANS),
        "OfOrganization": "true",
        "Plans": PLANS,
        **(more or {}),
    }
    return Request(kind=kind, properties=properties, physical_id=None if kind == "Create" else "x")


def test_covers_every_account_in_every_region() -> None:
    services = Services()
    cover(_request(), services.client)
    for region in REGIONS:
        assert services.scanned[region] == {OWN, *OTHERS}
        assert services.members[f"inspector2 {region}"] == services.members[f"macie2 {region}"] == set(OTHERS)
        assert services.sampled[region] == set(OTHERS)
        asked = services.guardduty[f"guardduty {region}"]
        assert asked["AutoEnableOrganizationMembers"] == "ALL"
        assert asked["Features"] == [
            {"Name": "S3_DATA_EVENTS", "AutoEnable": "ALL"},
            {
                "Name": "RUNTIME_MONITORING",
                "AutoEnable": "ALL",
                "AdditionalConfiguration": [{"Name": "EC2_AGENT_MANAGEMENT", "AutoEnable": "ALL"}],
            },
        ]
        assert services.guardduty[f"macie2 {region}"] == {"autoEnable": True}
        assert services.guardduty[f"inspector2 {region}"] == {"autoEnable": dict.fromkeys(SCANS.values(), True)}


def test_asks_nothing_twice() -> None:
    services = Services()
    first = cover(_request(), services.client)
    services.calls.clear()
    assert cover(_request("Update"), services.client) == first
    assert services.calls == []


def test_alone_it_scans_its_own_account_and_asks_no_organization() -> None:
    services = Services(detector=False)
    cover(_request(more={"Accounts": [OWN], "OfOrganization": "false"}), services.client)
    assert services.scanned == {region: {OWN} for region in REGIONS}
    assert not services.guardduty


def test_deletion_leaves_everything_on() -> None:
    services = Services()
    cover(_request("Delete"), services.client)
    assert services.calls == []


def test_says_whom_inspector_leaves_out() -> None:
    with pytest.raises(RefusedRequestError, match=r"Inspector in eu-west-1 .* 777777777777 \(SSM_UNAVAILABLE\)"):
        cover(_request(), Services(refuse=OTHERS[1]).client)


def test_says_where_guardduty_is_not_on() -> None:
    with pytest.raises(RefusedRequestError, match="GuardDuty is not on in eu-west-1"):
        cover(_request(), Services(detector=False).client)


def test_says_what_guardduty_still_leaves_out() -> None:
    with pytest.raises(RefusedRequestError, match="leaves out RUNTIME_MONITORING, S3_DATA_EVENTS"):
        cover(_request(), Services(stubborn=True).client)


@pytest.mark.parametrize(
    ("name", "value"),
    [("Accounts", []), ("Regions", "eu-west-1"), ("Scans", ["FRIDGE"]), ("Plans", {}), ("OfOrganization", None)],
)
def test_refuses_a_request_that_leaves_something_open(name: str, value: object) -> None:
    with pytest.raises(RefusedRequestError, match=name):
        cover(_request(more={name: value}), Services().client)


def test_leaves_macie_where_aws_does_not_offer_it() -> None:
    services = Services()
    cover(_request(more={"MacieRegions": REGIONS[:1]}), services.client)
    assert set(services.sampled) == {REGIONS[0]}
    assert set(services.scanned) == set(REGIONS)
