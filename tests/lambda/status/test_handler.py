"""The status function: up, which version, and nothing more."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from status import handler


def test_says_up_and_the_version(monkeypatch: pytest.MonkeyPatch) -> None:
    handler._version.cache_clear()
    monkeypatch.setenv("VERSION", "1.2.3")
    event = {"httpMethod": "GET", "path": "/status", "requestContext": {"elb": {}}}
    response = handler.handle(event, None)
    assert response["statusCode"] == 200
    assert json.loads(response["body"]) == {"status": "up", "version": "1.2.3"}
    handler._version.cache_clear()


def test_a_head_request_gets_no_body() -> None:
    assert handler.answer("HEAD", "/status", version="1")["body"] == ""


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", None])
def test_refuses_every_method_that_could_change_something(method: str | None) -> None:
    response = handler.answer(method, "/status", version="1")
    assert (response["statusCode"], response["headers"]["Allow"]) == (405, "GET, HEAD")


@given(path=st.one_of(st.text(), st.none(), st.integers()), method=st.sampled_from(["GET", "POST"]))
def test_reflects_nothing_of_a_hostile_path(path: object, method: str) -> None:
    if path == "/status":
        return
    response = handler.answer(method, path, version="1")
    assert response["statusCode"] == 404
    assert json.loads(response["body"]) == {"status": "unknown"}
    assert all("\n" not in value for value in response["headers"].values())


def test_every_answer_carries_security_headers_and_is_not_stored() -> None:
    for path in ("/status", "/"):
        headers = handler.answer("GET", path, version="1")["headers"]
        assert headers["Cache-Control"] == "no-store"
        assert "max-age=63072000" in headers["Strict-Transport-Security"]
        assert headers["X-Content-Type-Options"] == "nosniff"
