"""Promises about changes: each on a record that its own function writes once and nobody alters.

That a change without a reviewer, or one that only its author reviewed or approved, is refused, and that any alteration
breaks the chain, is shown by tests/lambda/record_change, and on the embedded AWS by rehearsal/checks/change_ledger.py.
"""

from __future__ import annotations

from collections.abc import Iterator

from proofs.finding import Case, Finding, note, proof
from proofs.model import Node
from proofs.register.questions import Facts, facts

_SOURCE = "record_change."
_ALTERS = (
    "s3:BypassGovernanceRetention",
    "s3:DeleteObject",
    "s3:DeleteObjectVersion",
    "s3:PutObject",
    "s3:PutObjectRetention",
)


@proof("changes.recorded-once")
def recorded_once(case: Case, finding: Finding) -> None:
    """Whoever deploys to any account has the change recorded by one function, in a locked bucket where no other role of any
    account outside the archive may write, replace, delete or unlock a record, nor that function anything but write.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
    """
    known = facts(case)
    for function in known.model.of("AWS::Lambda::Function"):
        if not str(function.get("Handler", default="")).startswith(_SOURCE):
            continue
        settings = ("Environment", "Variables")
        bucket = known.model.find(function.get(*settings, "RECORD_BUCKET"), "AWS::S3::Bucket", near=function)
        role = known.model.find(function.get("Role"), "AWS::IAM::Role", near=function)
        if bucket is None or role is None:
            finding.missing.append(note(function, "its role or the bucket of its records is not in these templates"))
            continue
        if not bucket.get("ObjectLockConfiguration", "Rule", "DefaultRetention", "Mode"):
            finding.broken.append(note(bucket, "its records are not locked"))
        folder = f"{bucket.arn}/{function.account}/{function.get(*settings, 'RECORD_WORKFLOW')}"
        recorder = f"arn:aws:iam::{function.account}:role/{role.name}"
        where = next(known.model_policy(bucket), bucket)
        if not known.may(recorder, "s3:PutObject", bucket, f"{folder}/live/000000000001.json"):
            finding.broken.append(note(where, f"{function.path} cannot record a change"))
        altering = list(_altering(known, bucket, f"{folder}/live/000000000001.json", recorder))
        finding.broken.extend(note(where, problem) for problem in altering)
        admitted = {
            str(permission.get("Principal"))
            for permission in known.model.of("AWS::Lambda::Permission")
            if known.model.find(permission.get("FunctionName"), "AWS::Lambda::Function", near=permission) is function
        }
        for account in sorted({node.account for node in known.model} - {function.account}):
            if account in admitted:
                finding.evidence.append(note(function, f"records the changes of {known.stages.get(account, account)}"))
            else:
                finding.broken.append(note(function, f"whoever deploys to account {account} cannot have it recorded"))


def _altering(known: Facts, bucket: Node, record: str, recorder: str) -> Iterator[str]:
    accounts = {node.account for node in known.model} - {bucket.account}
    for account in sorted(accounts):
        for caller in known.callers(account, bucket):
            for action in _ALTERS:
                if (caller, action) != (recorder, "s3:PutObject") and known.may(caller, action, bucket, record):
                    yield f"{caller} may {action} on a record of changes"
