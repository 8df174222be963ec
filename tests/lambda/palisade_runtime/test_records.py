"""Records: written once, the first stays, and whoever cannot record does not go on."""

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from moto import mock_aws
from palisade_runtime.records import Records

BUCKET = "acme-organization-decision-100000000002"


@pytest.fixture
def s3() -> Any:
    return boto3.client("s3", region_name="eu-west-1", aws_access_key_id="testing", aws_secret_access_key="testing")


def _records(s3: Any) -> Records:
    return Records(s3=s3, bucket=BUCKET, account="100000000003", workflow="access-requests")


def test_writes_under_the_workflow_and_only_where_nothing_is(s3: Any) -> None:
    sent: list[Any] = []
    s3.meta.events.register("request-created.s3.PutObject", lambda request, **_: sent.append(request.prepare()))
    with mock_aws():
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        assert _records(s3).keep("r-1", "granted", {"who": "a", "by": "b"}) is True
        assert _records(s3).keep("r-1", "granted", {"who": "z"}) is False
        kept = s3.get_object(Bucket=BUCKET, Key="100000000003/access-requests/r-1/granted.json")["Body"].read()
    headers = {name.lower(): str(value) for name, value in sent[0].headers.items()}
    assert headers["if-none-match"] == "*"
    assert headers["x-amz-expected-bucket-owner"] == "100000000002"
    assert headers["x-amz-sdk-checksum-algorithm"] == "SHA256", "a locked bucket demands a checksum"
    assert kept == b'{"by": "b", "who": "a"}'


def test_reads_back_what_happened_and_what_people_said(s3: Any) -> None:
    records = _records(s3)
    with mock_aws():
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        records.keep("r-1", "granted", {"who": "a"})
        records.keep("r-1", "expired", {})
        records.keep("s-1", "refused", {})
        assert (records.events("r-1"), records.events("r-1", "exp"), records.events("r-2")) == (
            ["expired", "granted"],
            ["expired"],
            [],
        )
        assert (records.read("r-1", "granted"), records.read("r-1", "grant")) == ({"who": "a"}, None)
        assert (records.subjects(), records.subjects("s-")) == (["r-1", "s-1"], ["s-1"])
        assert records.say("approve", "r-1", "AROAEXAMPLE:Ada@example.com", {"because": "x"}) is True
        assert records.say("approve", "r-1", "AROAEXAMPLE:Ada@example.com", {"because": "y"}) is False
        records.say("deny", "r-1", "AROAEXAMPLE:ben@example.com", {})
        (deed,) = records.deeds("approve", "r-1")
        assert (deed.person, deed.body) == ("ada@example.com", {"because": "x"})
        assert records.subjects_of("approve") == ["r-1"]
        assert records.subjects() == ["r-1", "s-1"], "what people say is no record"


def test_what_a_person_wrote_instead_of_an_object_says_nothing(s3: Any) -> None:
    with mock_aws():
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        for name, text in (("A:a", b"["), ("A:b", b"[1]"), ("A:c", b"\xff")):
            s3.put_object(Bucket=BUCKET, Key=f"100000000003/access-requests-deeds/approve@r-1/{name}.json", Body=text)
        assert [deed.body for deed in _records(s3).deeds("approve", "r-1")] == [{}, {}, {}]


def test_believes_no_name_further_down_than_iam_binds(s3: Any) -> None:
    with mock_aws():
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        key = "100000000003/access-requests-deeds/approve@r-1/AROAONE:eve.json/AROATWO:ada@example.com.json"
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"{}")
        assert _records(s3).deeds("approve", "r-1") == []


def test_a_second_write_leaves_the_first_as_it_was(s3: Any) -> None:
    with Stubber(s3) as stub:
        stub.add_client_error("put_object", "PreconditionFailed", http_status_code=412)
        assert _records(s3).keep("r-1", "granted", {}) is False


def test_tries_again_when_two_write_at_once(s3: Any) -> None:
    with Stubber(s3) as stub:
        stub.add_client_error("put_object", "ConditionalRequestConflict", http_status_code=409)
        stub.add_client_error("put_object", "PreconditionFailed", http_status_code=412)
        assert _records(s3).keep("r-1", "granted", {}) is False


@pytest.mark.parametrize(("code", "times"), [("AccessDenied", 1), ("ConditionalRequestConflict", 3)])
def test_says_so_when_it_cannot_record(s3: Any, code: str, times: int) -> None:
    with Stubber(s3) as stub:
        for _ in range(times):
            stub.add_client_error("put_object", code)
        with pytest.raises(ClientError, match=code):
            _records(s3).keep("r-1", "granted", {})
        stub.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("subject", "event"), [("../other", "x"), ("a/b", "x"), ("", "x"), ("a", "x y"), ("a", ".hidden")]
)
def test_refuses_a_name_that_leads_elsewhere(s3: Any, subject: str, event: str) -> None:
    with Stubber(s3), pytest.raises(ValueError, match="letters, digits"):
        _records(s3).keep(subject, event, {})
