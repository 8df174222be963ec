"""Uploads in, results out: once each, in memory only, and without a word of the text in any log."""

import builtins
import dataclasses
import io
import json
import os
import tempfile
from collections.abc import Callable
from typing import Any

import pytest
from analyse_document import handler
from analyse_document.handler import Services, process
from analyse_document.providers import NoProvider

ID = "0123456789abcdef0123456789abcdef"
OTHER = "f" * 32
TEXT = "The Xanthippe agreement is confidential. It was signed by Zebedee Quux at dawn."
LARGEST = 500


class Summarizer:
    """A provider that answers with a fixed sentence, or fails quoting what it was given."""

    def __init__(self, *, fails: bool = False) -> None:
        self.fails = fails
        self.calls = 0

    def summarize(self, text: str) -> str | None:
        self.calls += 1
        if self.fails:
            raise RuntimeError(f"cannot summarize: {text}")
        return "An agreement was signed."


@pytest.fixture
def services(stage: Any) -> Services:
    return Services(
        sessions=stage.sessions,
        provider=NoProvider(),
        table=stage.table,
        bucket=stage.bucket,
        register=stage.register,
        largest_document=LARGEST,
        logger=stage.logger,
    )


@pytest.fixture
def add(stage: Any, upload_message: Callable[..., dict[str, str]]) -> Callable[..., dict[str, str]]:
    """Stores a document's item and object, and gives the message that announces the upload."""

    def build(tenant: str = "acme", document: str = ID, content: bytes = TEXT.encode(), **more: Any) -> dict[str, str]:
        if more.pop("item", True):
            item = {"tenant": {"S": tenant}, "document": {"S": document}, "status": {"S": "awaiting_upload"}}
            stage.dynamodb.put_item(TableName=stage.table, Item=item)
        stored = stage.s3.put_object(Bucket=stage.bucket, Key=f"{tenant}/{document}", Body=content)
        size = more.pop("size", len(content))
        version: str = stored["VersionId"]
        return upload_message(f"{tenant}/{document}", size=size, version=version, **more)

    return build


def _item(stage: Any, document: str = ID) -> dict[str, Any]:
    found: dict[str, dict[str, Any]] = {item["document"]["S"]: item for item in stage.items()}
    return found[document]


def _failed(answer: dict[str, Any]) -> list[str]:
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def test_records_the_statistics(services: Services, stage: Any, add: Any) -> None:
    assert _failed(process({"Records": [add()]}, services)) == []
    item = _item(stage)
    assert item["status"] == {"S": "analysed"}
    assert item["statistics"]["M"]["words"] == {"N": "13"}
    assert item["statistics"]["M"]["language"] == {"S": "en"}
    assert item["stored_size"] == {"N": str(len(TEXT))}
    assert "summary" not in item


def test_records_a_summary_when_a_provider_has_one(services: Services, stage: Any, add: Any) -> None:
    process({"Records": [add()]}, dataclasses.replace(services, provider=Summarizer()))
    assert _item(stage)["summary"] == {"S": "An agreement was signed."}


def test_statistics_do_not_wait_for_a_failing_provider(services: Services, stage: Any, add: Any) -> None:
    answer = process({"Records": [add()]}, dataclasses.replace(services, provider=Summarizer(fails=True)))
    assert _failed(answer) == []
    assert _item(stage)["status"] == {"S": "analysed"}
    assert "Xanthippe" not in stage.lines.text
    assert any(line["event"] == "summary.failed" for line in stage.lines.parsed)


def test_same_message_again_changes_nothing(services: Services, stage: Any, add: Any) -> None:
    provider = Summarizer()
    message = add()
    with_provider = dataclasses.replace(services, provider=provider)
    process({"Records": [message]}, with_provider)
    first = _item(stage)
    assert _failed(process({"Records": [message, message]}, with_provider)) == []
    assert _item(stage) == first
    assert provider.calls == 1


def test_an_older_upload_never_replaces_a_newer_result(services: Services, stage: Any, add: Any) -> None:
    old = add(content=b"Old text.", sequencer="01")
    new = add(content=b"New and longer text.", sequencer="02")
    process({"Records": [new, old]}, services)
    assert _item(stage)["statistics"]["M"]["words"] == {"N": "4"}


def test_result_of_a_race_lost_is_dropped(
    services: Services, stage: Any, add: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = add()
    process({"Records": [message]}, services)
    before = _item(stage)
    monkeypatch.setattr("analyse_document.store.UploadStore.state", lambda _: None)
    assert _failed(process({"Records": [message]}, services)) == []
    assert _item(stage) == before
    assert stage.lines.parsed[-1]["event"] == "analysis.outdated"


def test_upload_after_deletion_is_removed(services: Services, stage: Any, add: Any) -> None:
    assert _failed(process({"Records": [add(item=False)]}, services)) == []
    assert (stage.items(), stage.versions()) == ([], [])


def test_document_being_deleted_is_not_brought_back(services: Services, stage: Any, add: Any) -> None:
    message = add()
    item = {"tenant": {"S": "acme"}, "document": {"S": ID}, "status": {"S": "deleting"}}
    stage.dynamodb.put_item(TableName=stage.table, Item=item)
    process({"Records": [message]}, services)
    assert _item(stage) == item
    assert stage.versions() == []


def test_deletion_during_analysis_wins(services: Services, stage: Any, add: Any) -> None:
    class Deleter(NoProvider):
        def summarize(self, text: str) -> str | None:  # noqa: ARG002
            key = {"tenant": {"S": "acme"}, "document": {"S": ID}}
            stage.dynamodb.delete_item(TableName=stage.table, Key=key)
            return "too late"

    assert _failed(process({"Records": [add()]}, dataclasses.replace(services, provider=Deleter()))) == []
    assert stage.items() == []


@pytest.mark.parametrize(
    ("content", "size", "reason"),
    [
        (b"", 0, "empty"),
        (b"\xff\xfe\xff", 3, "UTF-8"),
        (b"a\x00b", 3, "null"),
        (b"x" * (LARGEST + 1), LARGEST + 1, "larger"),
        (b"x" * (LARGEST + 1), 5, "larger"),
    ],
)
def test_refuses_unreadable_document_for_good(  # noqa: PLR0917
    content: bytes, size: int, reason: str, services: Services, stage: Any, add: Any
) -> None:
    assert _failed(process({"Records": [add(content=content, size=size)]}, services)) == []
    assert _item(stage)["status"] == {"S": "refused"}
    assert reason in _item(stage)["reason"]["S"]
    assert "statistics" not in _item(stage)


def test_too_large_a_document_is_not_even_read(services: Services, stage: Any, add: Any) -> None:
    stage.failing.add("GetObject")
    assert _failed(process({"Records": [add(size=LARGEST + 1)]}, services)) == []
    assert _item(stage)["status"] == {"S": "refused"}


def test_only_what_failed_is_delivered_again(services: Services, stage: Any, add: Any) -> None:
    good, bad, foreign = add(), {"messageId": "bad", "body": "{"}, add(document=OTHER, bucket="another")
    assert _failed(process({"Records": [bad, good, foreign]}, services)) == ["bad", foreign["messageId"]]
    assert _item(stage)["status"] == {"S": "analysed"}
    assert _item(stage, OTHER)["status"] == {"S": "awaiting_upload"}


@pytest.mark.parametrize("broken", ["GetItem", "GetObject", "UpdateItem"])
def test_failed_message_succeeds_when_delivered_again(broken: str, services: Services, stage: Any, add: Any) -> None:
    message = add()
    stage.failing.add(broken)
    assert _failed(process({"Records": [message]}, services)) == [message["messageId"]]
    stage.failing.clear()
    assert _failed(process({"Records": [message]}, services)) == []
    assert _item(stage)["status"] == {"S": "analysed"}


def test_tenants_in_one_batch_stay_apart(services: Services, stage: Any, add: Any) -> None:
    messages = [add("acme", ID), add("beta", OTHER, b"Two words.")]
    process({"Records": messages}, services)
    assert [call["Tags"][0]["Value"] for call in stage.sts.calls] == ["acme", "beta"]
    assert _item(stage, OTHER)["statistics"]["M"]["words"] == {"N": "2"}
    assert _item(stage, ID)["statistics"]["M"]["words"] == {"N": "13"}


def _watch_files(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names, from now on, of files opened for writing, by whatever way."""
    opened: list[str] = []
    real_open, real_os_open = builtins.open, os.open

    def watched_open(file: Any, mode: str = "r", *rest: Any, **more: Any) -> Any:
        if set(mode) & set("wax+"):
            opened.append(str(file))
        return real_open(file, mode, *rest, **more)

    def watched_os_open(path: Any, flags: int, *rest: Any, **more: Any) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            opened.append(str(path))
        return real_os_open(path, flags, *rest, **more)

    monkeypatch.setattr(builtins, "open", watched_open)
    monkeypatch.setattr(io, "open", watched_open)
    monkeypatch.setattr(os, "open", watched_os_open)
    for name in ("mkstemp", "mkdtemp", "TemporaryFile", "NamedTemporaryFile", "SpooledTemporaryFile"):
        monkeypatch.setattr(tempfile, name, lambda *_, _name=name, **__: opened.append(_name))
    return opened


def test_the_watch_notices_files(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    files_opened = _watch_files(monkeypatch)
    (tmp_path / "a").write_text("x")
    with open(tmp_path / "b", "w"):
        pass
    os.close(os.open(tmp_path / "c", os.O_CREAT | os.O_WRONLY))
    tempfile.mkstemp()
    assert len(files_opened) >= 4


class MemoryS3:
    """Hands out one object from memory: moto itself spools what it stores to files."""

    class exceptions:  # noqa: N801
        pass

    def __init__(self, content: bytes) -> None:
        self._content = content

    def get_object(self, **_: Any) -> dict[str, Any]:
        return {"Body": io.BytesIO(self._content)}


def test_no_file_is_written_during_analysis(
    services: Services, stage: Any, add: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = add()
    clients = stage.sessions.open(tenant="acme", user=handler.ACTOR)
    in_memory = dataclasses.replace(clients, s3=MemoryS3(TEXT.encode()))
    monkeypatch.setattr(stage.sessions, "open", lambda **_: in_memory)
    files_opened = _watch_files(monkeypatch)
    answer = process({"Records": [message]}, dataclasses.replace(services, provider=Summarizer()))
    monkeypatch.undo()
    assert files_opened == []
    assert _failed(answer) == []
    assert _item(stage)["status"] == {"S": "analysed"}


def test_nothing_of_the_text_is_logged_whatever_happens(
    services: Services, stage: Any, add: Any, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    message = add()
    process({"Records": [message]}, dataclasses.replace(services, provider=Summarizer(fails=True)))
    stage.failing.add("UpdateItem")
    process({"Records": [add(document=OTHER)]}, services)
    stage.failing.clear()
    process({"Records": [add(document=OTHER, content=TEXT.encode() + b"\xff")]}, services)
    printed = capfd.readouterr()
    ours = [
        record.getMessage() for record in caplog.records if record.name.partition(".")[0] not in {"botocore", "moto"}
    ]
    everything = stage.lines.text + printed.out + printed.err + "".join(ours)
    assert len(stage.lines.parsed) >= 3
    for word in ("Xanthippe", "Zebedee", "Quux", "confidential"):
        assert word not in everything


def test_lines_carry_tenant_message_and_document(services: Services, stage: Any, add: Any) -> None:
    message = add()
    process({"Records": [message]}, services)
    line = stage.lines.parsed[-1]
    assert (line["tenant"], line["user"], line["document"]) == ("acme", "analyse_document", ID)
    assert line["request_id"] == message["messageId"]


def test_entry_point_builds_its_services_from_the_environment(
    stage: Any, add: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler._services.cache_clear()
    environment = {
        "TABLE_NAME": stage.table,
        "BUCKET_NAME": stage.bucket,
        "REGISTER": stage.register,
        "TENANT_ROLE_ARN": "arn:aws:iam::123456789012:role/tenant",
        "LARGEST_DOCUMENT_BYTES": "1000",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    try:
        assert handler.handle({"Records": [add()]}, None) == {"batchItemFailures": []}
        assert isinstance(handler._services().provider, NoProvider)
        handler._services.cache_clear()
        monkeypatch.setenv("SUMMARY_MODEL_ID", "a-model")
        assert getattr(handler._services().provider, "model_id", None) == "a-model"
    finally:
        handler._services.cache_clear()
    assert _item(stage)["status"] == {"S": "analysed"}


def test_messages_are_json_that_the_queue_could_carry(add: Any) -> None:
    assert json.loads(add()["body"])["detail-type"] == "Object Created"


def test_what_arrives_for_a_tenant_who_has_left_does_not_stay(services: Services, stage: Any, add: Any) -> None:
    closed_at = {"S": "2026-03-01T00:00:00+00:00"}
    stage.dynamodb.put_item(TableName=stage.register, Item={"tenant": {"S": "acme"}, "closed_at": closed_at})
    before = stage.items()
    message = add()
    stage.dynamodb.delete_item(TableName=stage.table, Key={"tenant": {"S": "acme"}, "document": {"S": ID}})
    assert _failed(process({"Records": [message, add()]}, services)) == []
    assert stage.versions("acme/") == []
    assert [item["status"] for item in stage.items()] == [{"S": "awaiting_upload"}]
    assert before == []
