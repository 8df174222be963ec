"""``python -m proofs evaluate``: one answer for each line, clear errors in place, and fast."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from proofs import __main__ as command
from proofs.policy import KeyGrant, PolicyKind, PolicySet, Request, compile_policy, evaluate, lines

ROOT = Path(__file__).parents[3]
FULL = {"Version": "2012-10-17", "Statement": [{"Sid": "Full", "Effect": "Allow", "Action": "*", "Resource": "*"}]}
REQUEST = {"principal": "arn:aws:iam::111122223333:role/app", "action": "s3:GetObject", "resource": "arn:aws:s3:::b/k"}
ALLOWED = {"request": REQUEST, "identity_policies": [FULL]}


def _run(text: str) -> tuple[int, list[dict[str, Any]]]:
    out = io.StringIO()
    status = lines.run(io.StringIO(text), out)
    return status, [json.loads(line) for line in out.getvalue().splitlines()]


def test_answers_each_line_with_the_deciding_statement() -> None:
    status, answers = _run(json.dumps(ALLOWED) + "\n" + json.dumps({"request": REQUEST}) + "\n")
    assert status == 0
    assert answers[0] == {
        "decision": "Allowed",
        "decided_by": [
            {
                "policy": "identity policy",
                "source": "identity_policies[0]",
                "statement": 0,
                "sid": "Full",
                "reason": "allows the request",
            }
        ],
    }
    assert answers[1]["decision"] == "ImplicitlyDenied"
    assert answers[1]["decided_by"] == [
        {
            "policy": "identity policy",
            "source": "identity_policies",
            "reason": "no statement allows s3:GetObject on arn:aws:s3:::b/k",
        }
    ]


def test_names_every_denial() -> None:
    denial = {"Version": "2012-10-17", "Statement": [{"Sid": "No", "Effect": "Deny", "Action": "*", "Resource": "*"}]}
    entry = {**ALLOWED, "permission_boundaries": [denial], "service_control_policies": [[FULL, denial]]}
    decision = lines.decide(entry)
    assert decision.decision == "ExplicitlyDenied"
    assert [reason.source for reason in decision.decided_by] == [
        "service_control_policies[0][1]",
        "permission_boundaries[0]",
    ]


def test_names_everything_that_is_missing() -> None:
    entry = {
        "request": {**REQUEST, "resource_account": "444455556666"},
        "service_control_policies": [[FULL], []],
        "permission_boundaries": [FULL],
    }
    decision = lines.decide(entry)
    assert decision.decision == "ImplicitlyDenied"
    assert [reason.source for reason in decision.decided_by] == [
        "service_control_policies[1]",
        "resource_policy",
        "identity_policies",
    ]
    assert "belongs to another account" in decision.decided_by[1].reason


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"action": "kms:Decrypt", "resource": "arn:aws:kms:eu-west-2:111122223333:key/1"},
            "its key policy or a grant",
        ),
        ({"action": "sts:AssumeRole", "resource": "arn:aws:iam::111122223333:role/r"}, "its trust policy"),
        ({"principal": "lambda.amazonaws.com"}, "no permissions of its own"),
    ],
)
def test_says_why_a_resource_policy_is_needed(change: dict[str, str], words: str) -> None:
    (reason,) = lines.decide({"request": {**REQUEST, **change}, "identity_policies": [FULL]}).decided_by
    assert words in reason.reason
    assert reason.policy == "resource policy"


def test_a_reason_without_policy_names_none() -> None:
    (reason,) = lines.decide({"request": {**REQUEST, "principal": "111122223333"}}).as_json()["decided_by"]
    assert reason == {"policy": "root user", "reason": "the root user has every permission in its own account"}


def test_bytes_that_are_no_text_are_an_error_in_place() -> None:
    out = io.StringIO()
    assert lines.run([b"\xff\xfe{\n", json.dumps(ALLOWED).encode()], out) == 1
    assert [next(iter(json.loads(line))) for line in out.getvalue().splitlines()] == ["error", "decision"]


def test_any_text_can_be_printed() -> None:
    _, (answer,) = _run(json.dumps({**ALLOWED, "id": "\ud800"}))
    assert answer["decision"] == "Allowed"


def test_says_whether_there_is_a_resource_policy_at_all() -> None:
    request = {**REQUEST, "resource_account": "444455556666"}
    silent = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "ec2:*", "Resource": "*"}]}
    assert (
        lines.decide({"request": request, "identity_policies": [FULL]}).decided_by[0].reason.endswith("there is none")
    )
    (reason,) = lines.decide({"request": request, "identity_policies": [FULL], "resource_policy": silent}).decided_by
    assert reason.reason.endswith("no statement allows it")


def test_names_the_first_of_statements_that_do_the_same() -> None:
    twice = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}] * 2}
    named = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}] * 2}
    assert [
        reason.statement for reason in lines.decide({"request": REQUEST, "identity_policies": [twice]}).decided_by
    ] == [0]
    assert [reason.statement for reason in lines.decide({"request": REQUEST, "resource_policy": named}).decided_by] == [
        0
    ]


def test_takes_policies_and_grants_compiled_before() -> None:
    key = "arn:aws:kms:eu-west-2:111122223333:key/1"
    policy = compile_policy(FULL, PolicyKind.IDENTITY, "ours")
    grant = KeyGrant.of({"GranteePrincipal": REQUEST["principal"], "Operations": ["Decrypt"]})
    policies = PolicySet.of(identity_policies=[policy], grants=[grant])
    decision = evaluate(Request(principal=REQUEST["principal"], action="kms:Decrypt", resource=key), policies)
    assert decision.decision == "Allowed"
    assert policies.identity_policies == (policy,)


def test_absent_and_null_mean_none() -> None:
    nothing = dict.fromkeys(
        ["resource_policy", "session_policy", "permission_boundaries", "service_control_policies", "endpoint_policies"]
    )
    request = {**REQUEST, "resource_account": None, "context": None}
    assert lines.decide({**ALLOWED, **nothing, "request": request}).decision == "Allowed"


def test_a_malformed_line_is_told_in_its_place_and_the_rest_is_answered() -> None:
    bad_policy = {"request": REQUEST, "identity_policies": [{"Statement": [{"Effect": "Maybe"}]}]}
    status, answers = _run("\n".join(["{", json.dumps(bad_policy), "", json.dumps(ALLOWED), "[]", '"x"']))
    assert status == 1
    assert [("error" in answer) for answer in answers] == [True, True, False, True, True]
    assert answers[0]["error"].startswith("line 1: is no JSON")
    assert answers[1]["error"].startswith("line 2: identity_policies[0].Statement[0].Effect: must be Allow or Deny")
    assert answers[3]["error"].startswith("line 5: must be an object")


def test_deep_nesting_is_an_error_and_no_crash() -> None:
    status, answers = _run("[" * 100_000 + "\n" + json.dumps({**ALLOWED, "identity_policies": [[[[]]]]}))
    assert status == 1
    assert all("error" in answer for answer in answers)


def test_an_id_is_repeated_in_the_answer() -> None:
    status, answers = _run(json.dumps({**ALLOWED, "id": "case-7", "comment": "ours"}) + "\n" + '{"id": 8}')
    assert [answer["id"] for answer in answers] == ["case-7", 8]
    assert status == 1


def test_documents_of_equal_content_but_other_kind_are_checked_each_for_itself() -> None:
    with_principal = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}
    assert lines.decide({"request": REQUEST, "resource_policy": with_principal}).decision == "Allowed"
    with pytest.raises(ValueError, match="Principal: not allowed here"):
        lines.decide({"request": REQUEST, "identity_policies": [with_principal]})


def _command(*arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    call = [sys.executable, "-m", "proofs", "evaluate", *arguments]
    return subprocess.run(call, cwd=ROOT, capture_output=True, text=True, input=text, check=False)


def test_reads_a_file_or_standard_input(tmp_path: Path) -> None:
    file = tmp_path / "requests.jsonl"
    file.write_text(json.dumps(ALLOWED) + "\n")
    from_file = _command(str(file))
    piped = _command(text=file.read_text() + "{\n")
    assert (from_file.returncode, json.loads(from_file.stdout)["decision"]) == (0, "Allowed")
    assert piped.returncode == 1
    assert [next(iter(json.loads(line))) for line in piped.stdout.splitlines()] == ["decision", "error"]
    assert (from_file.stderr, piped.stderr) == ("", "")


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["--help"], 0, ""),
        (["judge"], 2, "unknown command 'judge'; commands: "),
        (["evaluate", "a", "b"], 2, "evaluate takes one file, not 2"),
        (["evaluate", "/no/such/file"], 2, "cannot read /no/such/file: No such file or directory"),
    ],
)
def test_usage(arguments: list[str], status: int, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(arguments) == status
    assert words in capsys.readouterr().err


def test_ten_thousand_lines_a_second() -> None:
    """Measured against reading the same JSON, which is the floor, so that a busy machine does not decide."""
    entry = json.loads((Path(__file__).parent / "typical.json").read_text())
    text = [
        json.dumps({**entry, "request": {**entry["request"], "resource": f"arn:aws:s3:::data/{n}"}})
        for n in range(2000)
    ]

    def seconds(work: Any) -> float:
        start = time.process_time()
        for _ in work:
            pass
        return time.process_time() - start

    floor = min(seconds(map(json.loads, text)) for _ in range(3))
    spent = min(seconds(lines.answers(text)) for _ in range(3))
    # Reading these lines takes about 10 us each on an idle core; 10,000 a second leave 100 us.
    assert spent < floor * 10
