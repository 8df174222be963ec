"""Reads ``cdk.out``: manifest, templates, asset manifests.

Source: https://docs.aws.amazon.com/cdk/v2/guide/deploy.html (the cloud assembly).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from assembly import plain
from assembly.model import Assembly, Asset, Stack


class AssemblyError(Exception):
    """The folder is not a readable cloud assembly. The message lists every problem, one per line."""


def load(directory: Path | str, *, elsewhere: tuple[str, str] | None = None) -> Assembly:
    """Read the cloud assembly in ``directory``, with those nested in it (CDK's ``Stage``).

    ``elsewhere`` is the account and region that stand in for what a stack of others leaves open; with it, a folder of plain
    CloudFormation templates is read as well.

    Raises:
        AssemblyError: no manifest, unreadable or half-written JSON, a stack without a fixed account and region,
            or dependencies in a circle.
    """
    if elsewhere is not None and not (Path(directory) / "manifest.json").exists():
        found, faults = plain.templates(Path(directory))
        if faults:
            raise AssemblyError("\n".join(faults))
        if found:
            made = of_templates(found, account=elsewhere[0], region=elsewhere[1])
            return Assembly(directory=Path(directory), stacks=made.stacks)
    stacks, problems = _stacks(Path(directory), elsewhere)
    if problems:
        raise AssemblyError("\n".join(problems))
    return Assembly(directory=Path(directory), stacks=_in_order(stacks))


def of_templates(templates: Mapping[str, Mapping[str, Any]], *, account: str, region: str) -> Assembly:
    """An assembly of plain CloudFormation templates by stack name, all in one account and region."""
    return Assembly(
        directory=Path(),
        stacks=tuple(
            Stack(
                name=name,
                account=account,
                region=region,
                template=template,
                template_file=Path(f"{name}.template.json"),
                dependencies=(),
                termination_protection=False,
                tags={},
                assets=(),
                paths={},
            )
            for name, template in templates.items()
        ),
    )


def _stacks(root: Path, elsewhere: tuple[str, str] | None) -> tuple[dict[str, Stack], list[str]]:
    manifest = _json(root / "manifest.json", hint='Run "make synth" to write it.')
    artifacts: dict[str, Any] = manifest.get("artifacts", {})
    stacks: dict[str, Stack] = {}
    problems: list[str] = []
    for name, artifact in artifacts.items():
        if artifact.get("type") == "cdk:cloud-assembly":
            nested, faults = _stacks(root / artifact["properties"]["directoryName"], elsewhere)
            stacks.update(nested)
            problems.extend(faults)
        if artifact.get("type") != "aws:cloudformation:stack":
            continue
        try:
            stacks[name] = _stack(root, name, artifact, artifacts, elsewhere)
        except AssemblyError as error:
            problems.append(str(error))
    return stacks, problems


def _stack(
    root: Path,
    name: str,
    artifact: Mapping[str, Any],
    artifacts: Mapping[str, Any],
    elsewhere: tuple[str, str] | None = None,
) -> Stack:
    _, _, place = artifact["environment"].partition("aws://")
    account, _, region = place.partition("/")
    if elsewhere is not None:
        account = account if account.isdigit() else elsewhere[0]
        region = elsewhere[1] if region in {"", "unknown-region"} else region
    if not account.isdigit() or region in {"", "unknown-region"}:
        raise AssemblyError(
            f"{root / 'manifest.json'}: stack {name} is synthesized for {artifact['environment']}. "
            "Give every stack a fixed account and region."
        )
    properties = artifact["properties"]
    template_file = root / properties["templateFile"]
    return Stack(
        name=properties.get("stackName", name),
        account=account,
        region=region,
        template=_json(template_file, hint='The assembly is half written; run "make synth" again.'),
        template_file=template_file,
        dependencies=tuple(
            other
            for other in artifact.get("dependencies", [])
            if artifacts[other].get("type") == "aws:cloudformation:stack"
        ),
        termination_protection=bool(properties.get("terminationProtection", False)),
        tags=properties.get("tags", {}),
        assets=tuple(_assets(root, artifact, artifacts, account, region)),
        paths=_construct_paths(root, artifact),
    )


def _construct_paths(root: Path, artifact: Mapping[str, Any]) -> dict[str, str]:
    metadata: dict[str, Any] = artifact.get("metadata", {})
    if "additionalMetadataFile" in artifact:
        metadata = {**metadata, **_json(root / artifact["additionalMetadataFile"], hint='Run "make synth" again.')}
    return {
        entry["data"]: path.lstrip("/")
        for path, entries in metadata.items()
        for entry in entries
        if entry["type"] == "aws:cdk:logicalId"
    }


def _assets(
    root: Path, artifact: Mapping[str, Any], artifacts: Mapping[str, Any], account: str, region: str
) -> list[Asset]:
    found = []
    for dependency in artifact.get("dependencies", []):
        if artifacts[dependency].get("type") != "cdk:asset-manifest":
            continue
        manifest_file = root / artifacts[dependency]["properties"]["file"]
        for asset_id, asset in _json(manifest_file, hint='Run "make synth" again.').get("files", {}).items():
            for destination in asset["destinations"].values():
                found.append(
                    Asset(
                        id=asset_id,
                        source=root / asset["source"]["path"],
                        zipped=asset["source"].get("packaging") == "zip",
                        bucket=_placed(destination["bucketName"], account, region),
                        key=_placed(destination["objectKey"], account, region),
                    )
                )
    return found


def _placed(text: str, account: str, region: str) -> str:
    return (
        text.replace("${AWS::AccountId}", account).replace("${AWS::Region}", region).replace("${AWS::Partition}", "aws")
    )


def _in_order(stacks: Mapping[str, Stack]) -> tuple[Stack, ...]:
    ordered: dict[str, Stack] = {}

    def visit(name: str, trail: tuple[str, ...]) -> None:
        if name in trail:
            raise AssemblyError(f"stacks depend on each other in a circle: {' -> '.join((*trail, name))}")
        if name not in ordered:
            for dependency in stacks[name].dependencies:
                visit(dependency, (*trail, name))
            ordered[name] = stacks[name]

    for name in stacks:
        visit(name, ())
    return tuple(ordered.values())


def _json(file: Path, *, hint: str) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise AssemblyError(f"{file}: no such file. {hint}") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise AssemblyError(f"{file}: not valid JSON ({error}). {hint}") from None
    return content
