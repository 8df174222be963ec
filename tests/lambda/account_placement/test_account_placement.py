"""An account is moved where it belongs, once, and never back."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from account_placement.handler import place
from palisade_runtime.custom_resource import RefusedRequestError, Request

ACCOUNT, UNIT = "111111111111", "ou-ab12-11111111"


class ChildNotFoundError(Exception):
    """As AWS says that an account is not in the organization."""


class Organizations:
    """An organization with one account, or without it."""

    exceptions = SimpleNamespace(ChildNotFoundException=ChildNotFoundError)

    def __init__(self, parent: str | None) -> None:
        self.parent = parent
        self.moves = 0

    def list_parents(self, **given: str) -> dict[str, Any]:
        if self.parent is None or given["ChildId"] != ACCOUNT:
            raise ChildNotFoundError
        return {"Parents": [{"Id": self.parent, "Type": "ORGANIZATIONAL_UNIT"}]}

    def move_account(self, **given: str) -> None:
        assert given["AccountId"] == ACCOUNT
        assert self.parent == given["SourceParentId"] != given["DestinationParentId"], "AWS refuses such a move"
        self.parent = given["DestinationParentId"]
        self.moves += 1


def _request(kind: str = "Create", more: Mapping[str, object] | None = None) -> Request:
    properties = {"AccountId": ACCOUNT, "ParentId": UNIT, **(more or {})}
    return Request(kind=kind, properties=properties, physical_id=None)


def test_moves_an_account_that_is_elsewhere() -> None:
    organizations = Organizations("r-ab12")
    place(_request(), organizations)
    assert (organizations.parent, organizations.moves) == (UNIT, 1)


def test_doing_it_twice_moves_nothing_more_and_is_the_same_resource() -> None:
    organizations = Organizations("r-ab12")
    assert place(_request(), organizations) == place(_request("Update"), organizations)
    assert organizations.moves == 1


def test_moves_on_update() -> None:
    organizations = Organizations(UNIT)
    place(_request("Update", {"ParentId": "ou-ab12-22222222"}), organizations)
    assert organizations.parent == "ou-ab12-22222222"


def test_deletion_moves_nothing_back() -> None:
    organizations = Organizations(UNIT)
    place(_request("Delete", {"ParentId": "r-ab12"}), organizations)
    assert organizations.moves == 0


def test_says_that_an_account_is_not_in_the_organization() -> None:
    with pytest.raises(RefusedRequestError, match=f"account {ACCOUNT} is not in this organization"):
        place(_request(), Organizations(None))


@pytest.mark.parametrize("name", ["AccountId", "ParentId"])
@pytest.mark.parametrize("value", [None, "", 7])
def test_refuses_what_it_cannot_read(name: str, value: object) -> None:
    organizations = Organizations("r-ab12")
    with pytest.raises(RefusedRequestError, match=name):
        place(_request(more={name: value}), organizations)
    assert organizations.moves == 0
