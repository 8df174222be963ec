"""The report's words: what a status means, where a framework is published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from proofs.register.claims import load


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """A status in words, and a sign that does not depend on colour."""

    label: str
    sign: str
    sentence: str


STATUS: Mapping[str, Meaning] = {
    "HOLDS": Meaning(label="Holds", sign="✓", sentence="Shown from the templates of all accounts together."),
    "PARTIAL": Meaning(label="Partial", sign="◐", sentence="Shown in part; what is missing is named."),
    "BROKEN": Meaning(label="Broken", sign="✕", sentence="A counter-example was found."),
    "ATTEST": Meaning(
        label="Yours to attest", sign="✎", sentence="People or vendors keep it; nothing here can prove it."
    ),
}

KIND: Mapping[str, str] = {
    "technical": "Technical: the deployment itself makes it true.",
    "operational": "Operational: the deployment supplies the mechanism, people use it.",
    "organisational": "Organisational: people or vendors alone can keep it.",
}


@dataclass(frozen=True, kw_only=True)
class Framework:
    """A set of controls that promises are mapped to."""

    key: str
    title: str
    source: str
    """Where it is published; for NIST 800-53 the OSCAL catalog itself."""


FRAMEWORKS: Mapping[str, Framework] = {
    "SOC 2": Framework(
        key="soc2",
        title="SOC 2, trust services criteria of 2017",
        source="https://www.aicpa-cima.com/resources/download/2017-trust-services-criteria-with-revised-points-of-focus-2022",
    ),
    "ISO 27001": Framework(
        key="iso27001", title="ISO/IEC 27001:2022, Annex A", source="https://www.iso.org/standard/27001"
    ),
    "CIS": Framework(
        key="cis",
        title="CIS Amazon Web Services Foundations Benchmark",
        source="https://www.cisecurity.org/benchmark/amazon_web_services",
    ),
    "NIST 800-53": Framework(
        key="nist80053",
        title="NIST SP 800-53, revision 5",
        source=(
            "https://raw.githubusercontent.com/usnistgov/oscal-content/main/nist.gov/SP800-53/rev5/json/"
            "NIST_SP-800-53_rev5_catalog.json"
        ),
    ),
    "GDPR": Framework(
        key="gdpr",
        title="Regulation (EU) 2016/679 (GDPR)",
        source="https://eur-lex.europa.eu/eli/reg/2016/679/oj",
    ),
}


def source_line(source: str) -> str:
    """What the source document is about, in one line; for a source that a fork added, its name."""
    told = _sources().get(source, source)
    return told[:1].upper() + told[1:]


@cache
def _sources() -> Mapping[str, str]:
    return load().sources


def plural(count: int, one: str, many: str | None = None) -> str:
    """``3 promises``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
