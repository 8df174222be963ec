"""Break-glass drills, from what somebody reports to what is on record."""

from __future__ import annotations

import json
import sys
import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "lambda"))

from judge_drill.rules import STEPS
from palisade_runtime.records import Records

from rehearsal.checks import Resource, View, scenario


@scenario(
    "a drill that another person witnessed passes and is on record, one that nobody did stays open, a faulty one fails"
)
def drills_are_judged(view: View) -> None:
    for judge in view.of("AWS::Lambda::Function"):
        if judge.properties.get("Handler") != "judge_drill.handler.handle":
            continue
        settings: Mapping[str, str] = judge.properties["Environment"]["Variables"]
        bucket = next(one for one in view.of("AWS::S3::Bucket") if one.id == settings["RECORD_BUCKET"])
        records = Records(
            s3=view.client("s3", bucket),
            bucket=bucket.id,
            account=judge.account,
            workflow=settings["RECORD_WORKFLOW"],
        )
        identities, stage = settings["IDENTITIES"].split(), settings["STAGES"].split()[0]

        def drilled(
            *, faulty: bool = False, stage: str = stage, identities: list[str] = identities, records: Records = records
        ) -> str:
            identity = f"{stage}.{time.strftime('%Y%m%d', time.gmtime())}-{uuid.uuid4().hex[:10]}"
            at = datetime.now(UTC).isoformat(timespec="seconds")
            steps = [
                {"identity": who, "step": step, "ok": not (faulty and step == "only-with-mfa"), "at": at, "said": ""}
                for who in identities
                for step in STEPS
            ]
            records.say("drill", identity, "AROAREHEARSAL:ada", {"stage": stage, "steps": steps})
            return identity

        good = drilled()
        assert _ask(view, judge, "drill", good)["outcome"] == "open", "it passed without a witness"
        records.say("witness", good, "AROAREHEARSAL:ada", {"saw": identities})
        assert _ask(view, judge, "witness", good)["outcome"] == "open", "somebody witnessed their own drill"
        records.say("witness", good, "AROAREHEARSAL:ben", {"saw": identities})
        assert _ask(view, judge, "witness", good)["outcome"] == "passed"
        kept = records.read(good, "outcome")
        assert kept is not None
        assert kept["outcome"] == "passed", kept
        faulty = drilled(faulty=True)
        records.say("witness", faulty, "AROAREHEARSAL:ben", {"saw": identities})
        assert "not shown" in " ".join(_ask(view, judge, "witness", faulty)["problems"])
        due = _ask(view, judge, "remind", "")["due"]
        assert stage not in due, due
        assert set(settings["STAGES"].split()) - {stage} == set(due), due


def _ask(view: View, judge: Resource, kind: str, identity: str) -> dict[str, Any]:
    event = {"kind": kind, **({"id": identity} if identity else {})}
    answer = view.client("lambda", judge).invoke(FunctionName=judge.id, Payload=json.dumps(event).encode())
    said: dict[str, Any] = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, said
    return said
