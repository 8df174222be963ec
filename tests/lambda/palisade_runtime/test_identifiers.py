"""Hostile identifiers never become keys, tags or session names."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from palisade_runtime.identifiers import (
    DocumentAddress,
    InvalidIdentifierError,
    document_id,
    parse_object_key,
    tenant_id,
    user_reference,
)

DOCUMENT = "0123456789abcdef0123456789abcdef"
HOSTILE = [
    "",
    " ",
    ".",
    "..",
    "../other",
    "acme/../other",
    "acme/",
    "/acme",
    "acme%2fother",
    "acme\\other",
    "acme\x00",
    "acme\n",
    "acme\r\nX-Injected: 1",
    "*",
    "ac?e",
    "${aws:PrincipalTag/tenant}",
    "Acme",
    "ACME",
    "-acme",
    "acme-",
    "acme other",
    "a" * 64,
    "a" * 1_000_000,
    "аcme",  # noqa: RUF001 - a Cyrillic letter on purpose
    "ａｃｍｅ",  # noqa: RUF001 - full-width letters on purpose
    "acme\u202e",
    "acme\u200b",
    "acme'; DROP TABLE documents;--",
    '{"$ne": null}',
    None,
    7,
    True,
    ["acme"],
    {"S": "acme"},
    b"acme",
]


@pytest.mark.parametrize("value", HOSTILE)
def test_refuses_hostile_tenant(value: object) -> None:
    with pytest.raises(InvalidIdentifierError):
        tenant_id(value)


@pytest.mark.parametrize("value", [*HOSTILE, "acme", DOCUMENT.upper(), DOCUMENT + "0", DOCUMENT[:-1], DOCUMENT + "\n"])
def test_refuses_hostile_document(value: object) -> None:
    with pytest.raises(InvalidIdentifierError):
        document_id(value)


@pytest.mark.parametrize("key", [*HOSTILE, DOCUMENT, f"acme//{DOCUMENT}", f"/{DOCUMENT}", f"acme/{DOCUMENT}/x"])
def test_refuses_foreign_object_key(key: object) -> None:
    with pytest.raises(InvalidIdentifierError):
        parse_object_key(key)


@pytest.mark.parametrize("value", ["a", "acme", "acme-2", "0", "a" * 63])
def test_accepts_plain_tenant(value: str) -> None:
    assert tenant_id(value) == value


@pytest.mark.parametrize("value", ["", "\x00", "jane doe", "a" * 256, "józef", None, 5])
def test_refuses_hostile_user(value: object) -> None:
    with pytest.raises(InvalidIdentifierError):
        user_reference(value)


def test_refusal_never_repeats_the_value() -> None:
    with pytest.raises(InvalidIdentifierError) as refusal:
        tenant_id("someone@example.com")
    assert "someone" not in str(refusal.value)


@given(st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=255))
def test_user_reference_is_a_session_name_without_address(subject: str) -> None:
    reference = user_reference(subject)
    assert re.fullmatch(r"[\w+=,.@-]{2,64}", reference, re.ASCII)
    assert "@" not in reference
    assert not reference.startswith("aws:")


@given(st.lists(st.from_regex(r"[!-~]{1,60}", fullmatch=True), min_size=2, max_size=2, unique=True))
def test_two_users_never_share_a_reference(subjects: list[str]) -> None:
    assert user_reference(subjects[0]) != user_reference(subjects[1])


def test_a_subject_cannot_pose_as_a_hashed_one() -> None:
    assert user_reference(user_reference("jane@example.com")) != user_reference("jane@example.com")


@given(
    st.from_regex(r"[a-z0-9][a-z0-9-]{0,20}[a-z0-9]", fullmatch=True), st.from_regex(r"[0-9a-f]{32}", fullmatch=True)
)
def test_object_key_leads_back_to_its_address(tenant: str, document: str) -> None:
    address = DocumentAddress(tenant=tenant, document=document)
    assert parse_object_key(address.object_key) == address
    assert address.object_key.startswith(f"{tenant}/")
