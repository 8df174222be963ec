"""Reads a folder of plain CloudFormation templates, JSON or YAML, as if one synthesis had written them.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ENDINGS = (".json", ".template", ".yaml", ".yml")


def templates(directory: Path) -> tuple[dict[str, Mapping[str, Any]], list[str]]:
    """The templates of the folder by file name without ending, and what could not be read; other files are passed over."""
    found: dict[str, Mapping[str, Any]] = {}
    problems: list[str] = []
    for file in sorted(directory.iterdir()) if directory.is_dir() else ():
        if file.suffix not in ENDINGS:
            continue
        try:
            content = read(file.read_text(encoding="utf-8"))
        except (ValueError, UnicodeDecodeError) as error:
            problems.append(f"{file}: neither JSON nor YAML ({' '.join(str(error).split())})")
            continue
        resources = content.get("Resources") if isinstance(content, Mapping) else None
        if isinstance(resources, Mapping) and resources:
            wrong = [name for name, body in resources.items() if not isinstance(body, Mapping) or "Type" not in body]
            problems += [f"{file}: resource {name} has no Type" for name in wrong]
            found[file.name.removesuffix(file.suffix).removesuffix(".template")] = content
    return found, problems


def read(text: str) -> Any:
    """A template's content, with ``!Ref`` and the other short forms written out.

    Raises:
        ValueError: it is neither JSON nor YAML.
    """
    if text.lstrip().startswith("{"):
        return json.loads(text)
    # Found only when it is needed: everything else in this package does with the standard library.
    yaml: Any = importlib.import_module("yaml")
    loader: Any = type("Loader", (yaml.SafeLoader,), {})
    # CloudFormation reads a version such as 2012-10-17 as text.
    loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    loader.add_multi_constructor("!", _short)
    try:
        return yaml.load(text, loader)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None


def _short(loader: Any, suffix: str, node: Any) -> dict[str, Any]:
    """``!Sub text`` as ``{"Fn::Sub": "text"}``."""
    build = {
        "scalar": loader.construct_scalar,
        "sequence": loader.construct_sequence,
        "mapping": loader.construct_mapping,
    }
    value = build[node.id](node) if node.id == "scalar" else build[node.id](node, deep=True)
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}
