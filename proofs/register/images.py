"""Promises about container images."""

from __future__ import annotations

from proofs.finding import Case, Finding, note, proof
from proofs.model import as_list, at
from proofs.register.questions import facts


@proof("images.immutable-and-scanned")
def immutable_and_scanned(case: Case, finding: Finding) -> None:
    """Every image keeps its tag for ever, and Inspector looks at it when it is pushed and whenever a weakness becomes known.

    https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning-enhanced.html
    """
    model = facts(case).model
    for repository in model.of("AWS::ECR::Repository"):
        watched = any(
            registry.get("ScanType") == "ENHANCED"
            and any(
                at(rule, "ScanFrequency") == "CONTINUOUS_SCAN"
                and "*" in [at(one, "Filter") for one in as_list(at(rule, "RepositoryFilters"))]
                for rule in as_list(registry.get("Rules"))
            )
            for registry in model.of(
                "AWS::ECR::RegistryScanningConfiguration", account=repository.account, region=repository.region
            )
        )
        if repository.get("ImageTagMutability") != "IMMUTABLE":
            finding.broken.append(note(repository, "its tags can be moved"))
        elif not watched:
            finding.broken.append(note(repository, "nobody looks at its images for as long as they are there"))
        else:
            finding.evidence.append(note(repository, "keeps its tags, and Inspector looks at it"))
