"""Stores: one tenant's things go, page by page, whatever the others are called and however much there is."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from delete_tenant import handler, stores
from delete_tenant.stores import DeletionIncompleteError, ObjectStore, Store, TableStore, UserStore
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

TENANTS = ("a", "a-b", "ab", "a1")


def _delete(store: Store, tenant: str) -> int:
    total, checkpoint = 0, None
    while True:
        page = store.delete(tenant, checkpoint)
        total, checkpoint = total + page.number, page.next
        if checkpoint is None:
            return total


def _count(store: Store, tenant: str) -> int:
    total, checkpoint = 0, None
    while True:
        page = store.count(tenant, checkpoint)
        total, checkpoint = total + page.number, page.next
        if checkpoint is None:
            return total


def _everything(stage: Any) -> dict[str, list[Any]]:
    answer = stage.s3.list_object_versions(Bucket=stage.bucket)
    objects = [
        (one["Key"], one["VersionId"], one.get("ETag"))
        for one in (*answer.get("Versions", []), *answer.get("DeleteMarkers", []))
    ]
    return {
        tenant: [item for item in stage.items() if item["tenant"]["S"] == tenant]
        + [one for one in objects if one[0].startswith(f"{tenant}/")]
        for tenant in TENANTS
    }


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(numbers=st.lists(st.integers(0, 4), min_size=4, max_size=4), page=st.integers(1, 3))
def test_any_of_several_tenants_goes_and_the_others_stay_as_they_are(
    numbers: list[int], page: int, stage: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stores, "_ITEMS", page)
    monkeypatch.setattr(stores, "_PAGE", page)
    for tenant, number in zip(TENANTS, numbers, strict=True):
        for index in range(number):
            item = {"tenant": {"S": tenant}, "document": {"S": f"{index}"}}
            stage.dynamodb.put_item(TableName=stage.table, Item=item)
            for text in (b"one", b"two"):
                stage.s3.put_object(Bucket=stage.bucket, Key=f"{tenant}/{index}", Body=text)
            if index % 2:
                stage.s3.delete_object(Bucket=stage.bucket, Key=f"{tenant}/{index}")
    before = _everything(stage)
    for tenant in TENANTS[:2]:
        clients = stage.sessions.open(tenant=tenant, user="delete_tenant")
        table = TableStore(dynamodb=clients.dynamodb, table=stage.table, sort="document")
        objects = ObjectStore(s3=clients.s3, bucket=stage.bucket)
        assert _count(table, tenant) + _count(objects, tenant) == len(before[tenant])
        _delete(table, tenant)
        _delete(objects, tenant)
        assert _count(table, tenant) + _count(objects, tenant) == 0
        before[tenant] = []
        assert _everything(stage) == before


def test_versions_that_s3_could_not_delete_are_an_error_and_not_a_number() -> None:
    answer = {"Versions": [{"Key": "a/1", "VersionId": "v"}]}
    s3 = SimpleNamespace(
        list_object_versions=lambda **_: answer,
        delete_objects=lambda **_: {"Errors": [{"Key": "a/1", "Code": "InternalError"}]},
    )
    with pytest.raises(DeletionIncompleteError):
        ObjectStore(s3=s3, bucket="b").delete("a", None)


class _Gone(Exception):  # noqa: N818 - the service's own name for it
    pass


def test_a_user_is_a_tenants_by_attribute_or_provider_and_nobodys_by_both_at_odds() -> None:
    def user(name: str, **attributes: str) -> dict[str, Any]:
        named = {"tenant": "custom:tenant", "identities": "identities"}
        return {"Username": name, "Attributes": [{"Name": named[k], "Value": v} for k, v in attributes.items()]}

    initech = '[{"providerName": "Initech", "userId": "1"}]'
    pool = [
        user("own", tenant="initech"),
        user("federated", identities=initech),
        user("both", tenant="initech", identities=initech),
        user("odds", tenant="umbrella", identities=initech),
        user("other", tenant="umbrella"),
        user("prefix", tenant="initech-2"),
        user("broken", identities="["),
        user("nobody"),
    ]
    deleted: list[str] = []

    def delete(*, Username: str, **_: object) -> None:  # noqa: N803
        if Username == "own":
            raise _Gone
        deleted.append(Username)

    cognito = SimpleNamespace(
        list_users=lambda **_: {"Users": pool},
        admin_delete_user=delete,
        exceptions=SimpleNamespace(UserNotFoundException=_Gone),
    )
    store = UserStore(cognito=cognito, pool="p", providers={"Initech": "initech"})
    assert _count(store, "initech") == 3
    _delete(store, "initech")
    assert deleted == ["federated", "both"]


def test_builds_every_store_it_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    handler._services.cache_clear()
    for name, value in {
        "TENANT_ROLE_ARN": "arn:aws:iam::123456789012:role/eraser",
        "REGISTER": "tenants",
        "STORES": '{"users":["users"],"items":["table","t","document"],"objects":["objects","b"],"rows":["database"]}',
        "HOST": "db",
        "DATABASE": "d",
        "PORT": "6432",
        "USER_POOL_ID": "-",
    }.items():
        monkeypatch.setenv(name, value)
    made = handler._services().stores
    clients = SimpleNamespace(dynamodb=None, s3=None)
    kinds = {name: type(make(clients)).__name__ for name, make in made.items()}
    assert kinds == {"users": "UserStore", "items": "TableStore", "objects": "ObjectStore", "rows": "DatabaseStore"}
    handler._services.cache_clear()
    monkeypatch.setenv("STORES", '{"x":["paper"]}')
    with pytest.raises(ValueError, match="paper"):
        handler._services()
