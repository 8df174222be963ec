"""Each stack's template, readable in review and stable across asset hashes."""

from __future__ import annotations

import json
import re
from typing import Any

from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from assembly import Assembly

_ASSET = re.compile(r"\b[0-9a-f]{64}\b")


def test_templates_match_their_snapshots(assembly: Assembly, snapshot: SnapshotAssertion) -> None:
    changed = [
        stack.name
        for stack in assembly.stacks
        if _readable(stack.template) != snapshot(name=stack.name, extension_class=JSONSnapshotExtension)
    ]
    assert not changed, f'changed: {", ".join(changed)}. Review "git diff" after "make snapshots".'


def _readable(template: Any) -> Any:
    return json.loads(_ASSET.sub("<asset>", json.dumps(template)))
