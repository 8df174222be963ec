"""Samples, schema and bus speak of the same kinds."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema_rs
import pytest
from palisade.detection import signals

from assembly.sample_findings import (
    REPORTED_BY_DETECTORS,
    REPORTED_BY_EVERY_ACCOUNT,
    REPORTED_WHERE_GATHERED,
    SAMPLES,
)

SCHEMA = json.loads((Path(__file__).resolve().parents[2] / "docs" / "findings.schema.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("kind", SAMPLES)
def test_each_sample_is_as_the_schema_says(kind: str) -> None:
    jsonschema_rs.Draft202012Validator(SCHEMA).validate(SAMPLES[kind])


@pytest.mark.parametrize("kind", SAMPLES)
def test_the_schema_demands_what_an_incident_is_made_of(kind: str) -> None:
    validator = jsonschema_rs.Draft202012Validator(SCHEMA)
    assert not validator.is_valid({**SAMPLES[kind], "detail": {}})
    assert not validator.is_valid({**SAMPLES[kind], "detail-type": "Something else"})


def test_the_schema_knows_each_kind_that_the_bus_takes() -> None:
    assert set(SCHEMA["properties"]["detail-type"]["enum"]) == set(signals.KINDS)


def test_each_sample_is_sent_by_somebody() -> None:
    assert {*REPORTED_BY_DETECTORS, *REPORTED_BY_EVERY_ACCOUNT, *REPORTED_WHERE_GATHERED} == set(SAMPLES)
