"""Container images: what a tag means, who pulls, and who looks at them."""

from __future__ import annotations

import json
from collections.abc import Iterator

from assembly import Resource
from gate.control import control
from gate.world import World, as_list, at


@control("images.repository.immutable", "AWS::ECR::Repository")
def immutable(repository: Resource, _world: World) -> Iterator[str]:
    """A tag means one image for ever, and old images go.

    Fix: set ImageTagMutability to IMMUTABLE and give a LifecyclePolicy.
    https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html
    """
    if repository.properties.get("ImageTagMutability") != "IMMUTABLE":
        yield "a tag can be moved to another image after it was reviewed"
    if at(repository.properties, "EncryptionConfiguration", "EncryptionType") not in {"KMS", "KMS_DSSE"}:
        yield "its images are not encrypted with a key of KMS"
    if not at(repository.properties, "LifecyclePolicy", "LifecyclePolicyText"):
        yield "images that nobody uses stay for ever"
    for statement in as_list(at(repository.properties, "RepositoryPolicyText", "Statement")):
        service = at(statement, "Principal", "Service")
        actions = set(map(str, as_list(at(statement, "Action"))))
        if at(statement, "Effect") == "Allow" and not at(statement, "Condition"):
            yield f"statement {at(statement, 'Sid')} lets {json.dumps(service or at(statement, 'Principal'))} in without a bound"
        if any(word in action for action in actions for word in ("Put", "Upload", "Delete", "*")):
            yield f"statement {at(statement, 'Sid')} lets others change images"


@control("images.registry.scanning", "AWS::ECR::Repository")
def scanning(repository: Resource, world: World) -> Iterator[str]:
    """Amazon Inspector looks at every image when it is pushed and ever after.

    Fix: put an AWS::ECR::RegistryScanningConfiguration with ENHANCED and CONTINUOUS_SCAN for * beside the repository.
    https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning-enhanced.html
    """
    here = world.stack(repository)
    for found in world.of_type("AWS::ECR::RegistryScanningConfiguration"):
        place = world.stack(found)
        if (place.account, place.region) != (here.account, here.region) or found.properties.get(
            "ScanType"
        ) != "ENHANCED":
            continue
        for rule in as_list(found.properties.get("Rules")):
            filters = [at(one, "Filter") for one in as_list(at(rule, "RepositoryFilters"))]
            if at(rule, "ScanFrequency") == "CONTINUOUS_SCAN" and "*" in filters:
                return
    yield "nobody looks at its images for as long as they are there"
