"""The trust report as OSCAL: a component definition and assessment results.

Every identifier is a UUID of version 5 over the deployment and the thing's own name, so the same proofs give the same bytes.
Controls of NIST 800-53 carry the ids of NIST's own catalog; others are written as OSCAL tokens. A promise is an objective of
the assessment, what was shown is an observation, its status a finding, a waiver a risk with an approved deviation.
https://pages.nist.gov/OSCAL-Reference/models/v1.2.1/
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from trestle.oscal import OSCAL_VERSION
from trestle.oscal.assessment_results import AssessmentResults
from trestle.oscal.component import ComponentDefinition

from ops.report.page import natural
from ops.report.proofs import Claim, Proofs, Resource
from ops.report.wording import FRAMEWORKS as PUBLISHED
from ops.report.wording import STATUS
from proofs.register.claims import FRAMEWORKS

NAMESPACE = UUID("5f6cfd5c-7b3a-5b7e-9d6e-0f4f3a5b6c11")
PROPERTIES = "https://palisade.invalid/ns/oscal"
"""Marks properties that OSCAL does not define; .invalid can belong to nobody (RFC 2606)."""
UNDATED = datetime(1970, 1, 1, tzinfo=UTC)
"""Stands where OSCAL demands a time and none was passed in."""

Node = dict[str, Any]


def component_definition(proofs: Proofs, *, at: datetime | None = None) -> ComponentDefinition:
    """What each topic's components implement of which control."""
    components = [
        {
            "uuid": _id(proofs, "component", topic),
            "type": "service",
            "title": f"Palisade: {topic}",
            "description": f"Everything in deployment {proofs.deployment} that keeps promises about {topic}.",
            **_unless_empty(
                {
                    "control-implementations": [
                        _implementation(proofs, topic, framework, claims)
                        for framework in FRAMEWORKS
                        if (claims := [c for c in _about(proofs, topic) if c.mappings.get(framework)])
                    ]
                }
            ),
        }
        for topic in proofs.topics
    ]
    return ComponentDefinition.model_validate(
        {
            "uuid": _id(proofs, "component-definition", proofs.digest),
            "metadata": _metadata(proofs, "component definition", at),
            "components": components,
        }
    )


def assessment_results(proofs: Proofs, *, at: datetime | None = None) -> AssessmentResults:
    """What the proofs observed of each promise, and what follows for it."""
    time = (at or UNDATED).isoformat()
    register = _id(proofs, "register")
    resources = {_place(resource): resource for claim in proofs.claims for resource in _resources(claim)}
    result = {
        "uuid": _id(proofs, "result", proofs.digest),
        "title": f"Proofs of deployment {proofs.deployment}",
        "description": "Decided from the synthesized templates of all accounts together, without access to an account.",
        "start": time,
        "end": time,
        **_unless_empty(
            {
                "local-definitions": _unless_empty(
                    {
                        "inventory-items": [
                            {
                                "uuid": _id(proofs, "resource", place),
                                "description": f"{resource.type} {resource.name}".strip(),
                                **_unless_empty(
                                    {
                                        "props": _props(
                                            {
                                                "stack": resource.stack,
                                                "resource-type": resource.type,
                                                "logical-id": resource.logical_id,
                                            }
                                        )
                                    }
                                ),
                            }
                            for place, resource in sorted(resources.items())
                        ]
                    }
                )
            }
        ),
        "reviewed-controls": {
            "control-selections": [
                {
                    "description": "Every promise of the register.",
                    "include-controls": [{"control-id": token(claim.id)} for claim in proofs.claims],
                }
            ]
        },
        **_unless_empty(
            {
                "observations": [
                    _observation(proofs, claim, time) for claim in proofs.claims if claim.status != "ATTEST"
                ],
                "risks": [_risk(proofs, waiver) for waiver in proofs.waivers],
                "findings": [_finding(proofs, claim) for claim in proofs.claims],
            }
        ),
    }
    return AssessmentResults.model_validate(
        {
            "uuid": _id(proofs, "assessment-results", proofs.digest),
            "metadata": _metadata(proofs, "assessment results", at),
            "import-ap": {"href": f"#{register}", "remarks": "The register of promises names the proof of each."},
            "local-definitions": {"objectives-and-methods": [_objective(claim) for claim in proofs.claims]},
            "results": [result],
            "back-matter": {
                "resources": [
                    {
                        "uuid": register,
                        "title": "Register of promises",
                        "description": "Each promise, its source document, and the proofs that decide it.",
                        "rlinks": [{"href": "proofs/claims.yaml", "media-type": "application/yaml"}],
                    }
                ]
            },
        }
    )


def token(words: str) -> str:
    """``words`` as an OSCAL token: a letter or underscore first, then letters, digits, dots, hyphens, underscores."""
    cleaned = re.sub(r"[^A-Za-z0-9_.-]+", "-", words.strip()).strip("-.") or "_"
    return cleaned if cleaned[0].isalpha() or cleaned[0] == "_" else f"_{cleaned}"


def control_id(framework: str, control: str) -> str:
    """The control's id: NIST's own (``AC-2(3)`` is ``ac-2.3``), else a token with the framework where it needs one."""
    if framework == "NIST 800-53":
        return token(re.sub(r"\s*\((\d+)\)", r".\1", control).lower())
    if framework == "GDPR":
        article = re.sub(r"(?i)^\s*(?:article|art)\b\.?\s*", "", control)
        return token(f"art-{article}")
    return token(control) if control[:1].isalpha() else token(f"{PUBLISHED[framework].key}-{control}")


# --------------------------------------------------------------------------------------------------- component definition


def _implementation(proofs: Proofs, topic: str, framework: str, claims: Sequence[Claim]) -> Node:
    controls = sorted({control for claim in claims for control in claim.mappings[framework]}, key=natural)
    return {
        "uuid": _id(proofs, "implementation", topic, framework),
        "source": PUBLISHED[framework].source,
        "description": f"{PUBLISHED[framework].title}, as far as promises about {topic} speak to it.",
        "implemented-requirements": [
            _requirement(proofs, topic, framework, control, [c for c in claims if control in c.mappings[framework]])
            for control in controls
        ],
    }


def _requirement(proofs: Proofs, topic: str, framework: str, control: str, claims: Sequence[Claim]) -> Node:
    state = _implementation_state(claims)
    return {
        "uuid": _id(proofs, "requirement", topic, framework, control),
        "control-id": control_id(framework, control),
        "description": "\n\n".join(
            f"{claim.claim} ({claim.id}: {STATUS[claim.status].label.lower()})" for claim in claims
        ),
        "props": [
            *([{"name": "implementation-status", "value": state}] if state else []),
            {"name": "control", "value": control, "ns": PROPERTIES},
            *(
                {"name": "promise", "value": claim.id, "class": claim.status.lower(), "ns": PROPERTIES}
                for claim in claims
            ),
        ],
    }


def _implementation_state(claims: Iterable[Claim]) -> str | None:
    """Of the promises that a template can keep: all hold, some of it does, or (nothing to say) none does."""
    statuses = {claim.status for claim in claims} - {"ATTEST"}
    if statuses == {"HOLDS"}:
        return "implemented"
    return "partial" if statuses & {"HOLDS", "PARTIAL"} else None


# ----------------------------------------------------------------------------------------------------- assessment results


def _objective(claim: Claim) -> Node:
    return {
        "control-id": token(claim.id),
        "description": claim.claim,
        "props": _props({"source": claim.source, "topic": claim.topic, "kind": claim.kind}),
        "parts": [{"id": _objective_id(claim), "name": "assessment-objective", "prose": claim.claim}],
        **_unless_empty(
            {
                "links": [
                    {
                        "href": PUBLISHED[framework].source,
                        "rel": "reference",
                        "text": f"{framework}: {', '.join(controls)}",
                    }
                    for framework, controls in claim.mappings.items()
                ]
            }
        ),
    }


def _observation(proofs: Proofs, claim: Claim, time: str) -> Node:
    said = [example.text for example in claim.counter_examples] + [evidence.text for evidence in claim.evidence]
    places = {_place(resource): resource for resource in _resources(claim)}
    return {
        "uuid": _id(proofs, "observation", claim.id),
        "title": claim.id,
        "description": "\n\n".join(said) or "Nothing was shown.",
        "methods": ["TEST"],
        "types": ["control-objective"],
        "collected": time,
        **_unless_empty(
            {
                "subjects": [
                    {
                        "subject-uuid": _id(proofs, "resource", place),
                        "type": "inventory-item",
                        "title": " ".join(resource.name.split()),
                    }
                    for place, resource in sorted(places.items())
                ],
                "relevant-evidence": [
                    {
                        "description": evidence.text,
                        **_unless_empty({"remarks": "\n\n".join(f"Assumes: {text}" for text in evidence.assumptions)}),
                    }
                    for evidence in claim.evidence
                ],
            }
        ),
    }


def _finding(proofs: Proofs, claim: Claim) -> Node:
    reasons = {
        "HOLDS": ("satisfied", "pass", "Shown from the templates."),
        "PARTIAL": ("not-satisfied", "fail", "Shown in part. Still missing: " + "; ".join(claim.missing)),
        "BROKEN": ("not-satisfied", "fail", "; ".join(example.text for example in claim.counter_examples)),
        "ATTEST": ("not-satisfied", "other", "Not assessed here: people or vendors keep it and have to attest it."),
    }
    state, reason, remarks = reasons[claim.status]
    return {
        "uuid": _id(proofs, "finding", claim.id),
        "title": claim.id,
        "description": claim.claim,
        "props": _props({"status": claim.status}),
        **_unless_empty({"remarks": claim.kept_by}),
        "target": {
            "type": "objective-id",
            "target-id": _objective_id(claim),
            "status": {"state": state, "reason": reason, "remarks": remarks},
        },
        **(
            {"related-observations": [{"observation-uuid": _id(proofs, "observation", claim.id)}]}
            if claim.status != "ATTEST"
            else {}
        ),
    }


def _risk(proofs: Proofs, waiver: Mapping[str, str]) -> Node:
    what, where = waiver.get("control") or waiver.get("claim") or "a control", waiver.get("where", "")
    expires = waiver.get("expires", "")
    dated = re.fullmatch(r"\d{4}-\d\d-\d\d", expires)
    return {
        "uuid": _id(proofs, "risk", *(f"{key}={value}" for key, value in sorted(waiver.items()))),
        "title": f"Waiver of {what}",
        "description": f"{what} is waived" + (f" at {where}." if where else "."),
        "statement": waiver.get("reason") or "No reason is recorded.",
        "props": _props({key: value for key, value in waiver.items() if key != "reason"}),
        "status": "deviation-approved",
        **({"deadline": f"{expires}T00:00:00+00:00"} if dated else {}),
    }


# --------------------------------------------------------------------------------------------------------------- helpers


def _metadata(proofs: Proofs, what: str, at: datetime | None) -> Node:
    return {
        "title": f"Palisade, deployment {proofs.deployment}: {what}",
        "last-modified": (at or UNDATED).isoformat(),
        "version": proofs.digest[:12],
        "oscal-version": OSCAL_VERSION,
        "props": _props({"proofs-sha256": proofs.digest}),
        **({} if at else {"remarks": "Undated: no time was passed in."}),
    }


def _about(proofs: Proofs, topic: str) -> Sequence[Claim]:
    return [claim for claim in proofs.claims if claim.topic == topic]


def _resources(claim: Claim) -> Sequence[Resource]:
    return [resource for evidence in claim.evidence for resource in evidence.resources]


def _place(resource: Resource) -> str:
    return f"{resource.stack}/{resource.logical_id or resource.name}"


def _objective_id(claim: Claim) -> str:
    return f"{token(claim.id)}_obj"


def _props(values: Mapping[str, str]) -> list[Node]:
    return [
        {"name": token(name), "value": " ".join(value.split()), "ns": PROPERTIES}
        for name, value in values.items()
        if value.strip()
    ]


def _unless_empty(node: Node) -> Node:
    """OSCAL knows no empty lists and objects."""
    return {key: value for key, value in node.items() if value}


def _id(proofs: Proofs, *name: str) -> str:
    return str(uuid5(NAMESPACE, "\n".join((proofs.deployment, *name))))
