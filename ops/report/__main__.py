"""Writes the trust report from what the proofs say.

usage: python -m ops.report [--proofs build/proofs.json] [--assembly cdk.out] [--out report] [--at TIME]       (make report)

Into the folder go trust-report.html (one page to mail), .md and .json, and as OSCAL component-definition.json and
assessment-results.json. Nothing is dated by itself: --at says what time the report speaks
of, for example 2026-01-31T12:00:00Z.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from assembly import AssemblyError, load
from ops.places import ROOT
from ops.report.markdown import markdown
from ops.report.oscal import assessment_results, component_definition
from ops.report.page import Picture, page
from ops.report.proofs import Proofs, ReportError, read
from ops.report.reachability import Matrix, matrices
from proofs.model import Model

PICTURE = ROOT / "docs" / "architecture.svg"
CAPTION = "Every stack of the deployment in its account and region, with what flows between accounts, drawn from the templates."


def main(arguments: list[str] | None = None) -> int:
    """Write every form of the report and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="make report", description=__doc__.split("\n\n")[0], epilog=__doc__.split("\n\n")[-1]
    )
    parser.add_argument("--proofs", type=Path, default=ROOT / "build" / "proofs.json", help="what the proofs wrote")
    parser.add_argument(
        "--assembly", type=Path, default=ROOT / "cdk.out", help="where reachability is read from (default: cdk.out)"
    )
    parser.add_argument("--out", type=Path, default=ROOT / "report", help="folder to write (default: report)")
    parser.add_argument("--at", type=_time, help="the time the report speaks of, with its zone (default: undated)")
    options = parser.parse_args(arguments)
    try:
        proofs, networks = read(options.proofs), _networks(options.assembly)
    except (ReportError, AssemblyError) as error:
        print(f"report: {error}", file=sys.stderr)
        return 1
    written = write(proofs, options.out, networks=networks, at=options.at)
    counts = ", ".join(f"{count} {status}" for status, count in proofs.by_status().items())
    print(f"report: {counts}; wrote {options.out}/ ({', '.join(path.name for path in written)})")
    return 0


def write(proofs: Proofs, folder: Path, *, networks: Sequence[Matrix] = (), at: datetime | None = None) -> list[Path]:
    """Write every form into ``folder`` and return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        "trust-report.html": page(proofs, pictures=_pictures(), networks=networks, at=at),
        "trust-report.md": markdown(proofs, at=at),
        "trust-report.json": json.dumps(_data(proofs, networks, at), indent=1, ensure_ascii=False) + "\n",
    }
    written = []
    for name, text in texts.items():
        written.append(folder / name)
        written[-1].write_text(text, encoding="utf-8")
    for name, document in (
        ("component-definition.json", component_definition(proofs, at=at)),
        ("assessment-results.json", assessment_results(proofs, at=at)),
    ):
        written.append(folder / name)
        document.oscal_write(written[-1])
    return written


def _data(proofs: Proofs, networks: Sequence[Matrix], at: datetime | None) -> dict[str, object]:
    return {
        "at": at.isoformat() if at else None,
        "summary": {
            "all": proofs.by_status(),
            "sources": {
                source: proofs.by_status([claim for claim in proofs.claims if claim.source == source])
                for source in proofs.sources
            },
            "topics": {
                topic: proofs.by_status([claim for claim in proofs.claims if claim.topic == topic])
                for topic in proofs.topics
            },
        },
        **asdict(proofs),
        "reachability": [
            {"network": network.network, "from": source, "to": target, "ports": ports}
            for network in networks
            for (source, target), ports in network.cells.items()
        ],
    }


def _pictures() -> list[Picture]:
    if not PICTURE.is_file():
        return []
    return [Picture(title="Architecture", caption=CAPTION, svg=PICTURE.read_text(encoding="utf-8"))]


def _networks(folder: Path) -> list[Matrix]:
    return matrices(Model(load(folder))) if (folder / "manifest.json").is_file() else []


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time; write it like 2026-01-31T12:00:00Z") from None
    if time.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text!r} has no zone; write it like 2026-01-31T12:00:00Z")
    return time.astimezone(UTC)


if __name__ == "__main__":
    sys.exit(main())
