"""The region's backup options: on, checked, and never turned off."""

from __future__ import annotations

from typing import Any

import pytest
from palisade_runtime.custom_resource import RefusedRequestError, Request
from set_backup_options.handler import choose


class Backup:
    """AWS Backup's settings of one region."""

    def __init__(self, *, stubborn: bool = False) -> None:
        self.types: dict[str, bool] = {"EFS": False, "S3": False}
        self.managed: dict[str, bool] = {"DynamoDB": False}
        self._stubborn = stubborn

    def update_region_settings(self, **given: dict[str, bool]) -> None:
        if not self._stubborn:
            self.types.update(given["ResourceTypeOptInPreference"])
            self.managed.update(given["ResourceTypeManagementPreference"])

    def describe_region_settings(self) -> dict[str, Any]:
        return {"ResourceTypeOptInPreference": self.types, "ResourceTypeManagementPreference": self.managed}


def _request(kind: str = "Create", **more: object) -> Request:
    return Request(
        kind=kind,
        properties={"ResourceTypes": ["Aurora", "DynamoDB", "S3"], "FullyManaged": ["DynamoDB"], **more},
        physical_id=None,
    )


def test_turns_on_what_is_asked_for_and_leaves_the_rest() -> None:
    backup = Backup()
    choose(_request(), backup)
    assert backup.types == {"EFS": False, "Aurora": True, "DynamoDB": True, "S3": True}
    assert backup.managed == {"DynamoDB": True}


def test_doing_it_twice_is_the_same_resource() -> None:
    backup = Backup()
    assert choose(_request(), backup) == choose(_request("Update"), backup)


def test_deletion_leaves_the_options_on() -> None:
    backup = Backup()
    choose(_request(), backup)
    choose(_request("Delete"), backup)
    assert backup.types["S3"]
    assert backup.managed["DynamoDB"]


def test_says_which_option_stayed_off() -> None:
    with pytest.raises(RefusedRequestError, match="Aurora, DynamoDB, S3, DynamoDB management"):
        choose(_request(), Backup(stubborn=True))


@pytest.mark.parametrize("value", [None, [], "S3", ["S3", ""], [3]])
def test_refuses_anything_but_a_list_of_names(value: object) -> None:
    with pytest.raises(RefusedRequestError, match="ResourceTypes"):
        choose(_request(ResourceTypes=value), Backup())
