"""Promises about rows of the relational database, judged from the migrations that a deployment really carries."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from assembly import Assembly
from proofs.finding import Case, Finding, Note, note, proof
from proofs.model import Model, Node, as_list, at
from proofs.register.questions import facts

_TABLE = re.compile(r"(?im)^\s*CREATE TABLE (?:IF NOT EXISTS )?app\.(\w+)")
_DRIVERS = re.compile(r"(?m)^\s*(?:import|from) (pg8000|psycopg2?|asyncpg|sqlalchemy)\b")
_VERIFYING = ("ssl.create_default_context(", "TLSv1_2", "ssl_context=context")
_CARELESS = re.compile(r"CERT_NONE|check_hostname\s*=\s*False|_create_unverified|sslmode=(?!verify-full)")


def packages(assembly: Assembly) -> Mapping[str, Path]:
    """Folders of functions' code in the assembly by the hash in their upload's name."""
    return {path.name.removeprefix("asset."): path for path in assembly.directory.glob("asset.*") if path.is_dir()}


def _folder(function: Node, known: Mapping[str, Path]) -> Path | None:
    key = function.get("Code", "S3Key")
    return known.get(str(key).removesuffix(".zip")) if isinstance(key, str) else None


def _migrators(model: Model, known: Mapping[str, Path]) -> Iterator[tuple[Node, Path]]:
    for function in model.of("AWS::Lambda::Function"):
        folder = _folder(function, known)
        if folder is not None and (folder / "migrate_database" / "sql").is_dir():
            yield function, folder / "migrate_database" / "sql"


def _cluster_of(model: Model, function: Node) -> Node | None:
    """The cluster whose own endpoint's name the function calls, which its certificate is for."""
    return model.find(function.get("Environment", "Variables", "HOST"), "AWS::RDS::DBCluster", near=function)


@proof("tenants.rows-are-apart")
def rows_are_apart(case: Case, finding: Finding) -> None:
    """Every database is brought to a schema in which row-level security binds each table to one tenant, its owner included.

    https://docs.aws.amazon.com/prescriptive-guidance/latest/saas-multitenant-managed-postgresql/rls.html
    """
    model = facts(case).model
    known = packages(case.assembly)
    served: set[Node] = set()
    for function, folder in _migrators(model, known):
        problems = [*_loose_tables(folder), *_unrun(model, function)]
        cluster = _cluster_of(model, function)
        if cluster is None:
            problems.append("migrates no database of these templates")
        else:
            served.add(cluster)
        finding.broken.extend(note(function, problem) for problem in problems)
        if not problems:
            finding.evidence.append(note(function, "isolates every table, after each deployment and once a day"))
    for cluster in model.of("AWS::RDS::DBCluster"):
        if cluster not in served:
            finding.broken.append(note(cluster, "nothing installs row-level security in it"))


def _loose_tables(folder: Path) -> Iterator[str]:
    text = "\n".join(file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.sql")))
    for wanted in ("ENABLE ROW LEVEL SECURITY", "FORCE ROW LEVEL SECURITY", "AS RESTRICTIVE"):
        if wanted not in text:
            yield f"its migrations never say {wanted}"
    for table in _TABLE.findall(text):
        if f"CALL app.isolate('app.{table}')" not in text:
            yield f"leaves table {table} to everybody"


def _unrun(model: Model, function: Node) -> Iterator[str]:
    rules = [
        rule
        for rule in model.referrers(function, "AWS::Events::Rule")
        if rule.get("State", default="ENABLED") == "ENABLED"
        and any(model.find(at(target, "Arn"), function.type) is function for target in as_list(rule.get("Targets")))
    ]
    if not any(rule.get("ScheduleExpression") for rule in rules):
        yield "nobody asks it every day whether tenants are still apart"
    if not any("aws.cloudformation" in json.dumps(rule.get("EventPattern"), default=str) for rule in rules):
        yield "does not run when its stack is deployed"


@proof("encryption.database-clients-verify")
def database_clients_verify(case: Case, finding: Finding) -> None:
    """Every function that speaks to a database verifies the certificate of the name it calls, and calls it by that name.

    https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.SSL.html
    """
    model = facts(case).model
    known = packages(case.assembly)
    for function in model.of("AWS::Lambda::Function"):
        folder = _folder(function, known)
        if folder is None:
            continue
        sources = {
            file.relative_to(folder).as_posix(): file.read_text(encoding="utf-8")
            for file in sorted(folder.rglob("*.py"))
        }
        speaking = {name for name, text in sources.items() if _DRIVERS.search(text)}
        ours = "palisade_runtime/database.py"
        uses_ours = any("palisade_runtime.database" in text for name, text in sources.items() if name != ours)
        for name in sorted(speaking - {ours}):
            finding.broken.append(note(function, f"{name} opens connections of its own"))
        if not uses_ours:
            continue
        text = sources.get(ours, "")
        if not all(word in text for word in _VERIFYING) or _CARELESS.search(text):
            finding.broken.append(note(function, "does not verify the server's certificate"))
        elif not (folder / "palisade_runtime" / "rds-ca.pem").is_file():
            finding.broken.append(note(function, "carries no certificate of RDS to verify with"))
        elif _cluster_of(model, function) is None:
            finding.broken.append(note(function, "calls the database by something that is not its certificate's name"))
        else:
            finding.evidence.append(note(function, "verifies the database's certificate and name"))
    if not known:
        finding.missing.append(Note("assembly", "its functions' code is not there to be read"))
