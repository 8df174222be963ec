"""The ledger: a stateful resource that CloudFormation would forget is named before it happens."""

from __future__ import annotations

from pathlib import Path

from gate import ledger
from tests.gate.conftest import Write


def test_names_a_table_whose_logical_id_changed(write: Write, tmp_path: Path) -> None:
    file = tmp_path / "ledger.txt"
    ledger.write(write({"Documents": {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": "docs"}}}), file)
    renamed = write({"Papers": {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": "docs"}}})
    found = {finding.control: finding for finding in ledger.check(renamed, file)}
    assert "Documents" in found["data.ledger.unchanged"].where
    assert "forgets the old one with its data" in found["data.ledger.unchanged"].message
    assert "Papers" in found["data.ledger.complete"].where


def test_names_a_bucket_whose_name_changed(write: Write, tmp_path: Path) -> None:
    file = tmp_path / "ledger.txt"
    ledger.write(write({"Log": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "one"}}}), file)
    renamed = write({"Log": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "two"}}})
    assert [finding.control for finding in ledger.check(renamed, file)] == [
        "data.ledger.unchanged",
        "data.ledger.complete",
    ]


def test_is_silent_about_what_holds_no_state(write: Write, tmp_path: Path) -> None:
    file = tmp_path / "ledger.txt"
    ledger.write(write({}), file)
    assert ledger.check(write({"Role": {"Type": "AWS::IAM::Role"}}), file) == []
