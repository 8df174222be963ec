"""Promises about the sample workload's shape, and that no template carries a secret."""

from __future__ import annotations

import re

from proofs.finding import Case, Finding, Note, note, proof
from proofs.model import walk
from proofs.register.questions import facts

_PARTS = {
    "upload and keep": "AWS::S3::Bucket",
    "analyse": "AWS::Lambda::Function",
    "index": "AWS::DynamoDB::Table",
    "answer": "AWS::ApiGateway::RestApi",
    "serve": "AWS::CloudFront::Distribution",
}
ANALYSIS = "analyse_document.handler.handle"
"""The code that reads documents."""
_LEAST_SCRATCH = 512
"""Megabytes that every function has."""
_SECRET_NAME = re.compile(r"(?i)(password|secret|token|api[_-]?key|private[_-]?key|credential)s?$")
_SECRET_TEXT = re.compile(
    r"AKIA[0-9A-Z]{16}|-----BEGIN [A-Z ]*PRIVATE KEY-----|\bsk-[A-Za-z0-9]{20,}|ghp_[A-Za-z0-9]{36}"
)


@proof("platform.sample-workload-is-complete")
def sample_workload_is_complete(case: Case, finding: Finding) -> None:
    """A workload of functions, a table, a bucket, an API and a distribution stands whole, its pieces wired to each other.

    https://docs.aws.amazon.com/wellarchitected/latest/serverless-applications-lens/welcome.html
    """
    known = facts(case)
    for word, resource_type in _PARTS.items():
        node = next(known.model.of(resource_type), None)
        if node is None:
            finding.broken.append(Note(word, f"nothing of the type {resource_type} is there", resource_type))
        else:
            finding.evidence.append(note(node, f"to {word}"))
    for arrow, refused in known.deliveries("API to", "queue to function", "bucket event", "distribution to bucket"):
        if refused is not None:
            finding.broken.append(note(refused.where, f"{arrow} does not arrive: {refused.text}"))


@proof("platform.documents-stay-in-memory")
def documents_stay_in_memory(case: Case, finding: Finding) -> None:
    """What analyses documents has no file system and no more scratch space than every function has, and is not told to trace.

    That it writes no file and no line of a text, whatever happens, tests/lambda/analyse_document/test_handler.py shows by
    watching files and log; that each request has a session of its own tenant's, ``tenants.sessions-see-one-tenant``.
    https://docs.aws.amazon.com/lambda/latest/dg/configuration-ephemeral-storage.html
    https://docs.aws.amazon.com/bedrock/latest/userguide/model-invocation-logging.html
    """
    model = facts(case).model
    readers = [node for node in model.of("AWS::Lambda::Function") if node.get("Handler") == ANALYSIS]
    if not readers:
        finding.missing.append(Note("documents", "nothing analyses documents", "AWS::Lambda::Function"))
    for reader in readers:
        scratch = reader.get("EphemeralStorage", "Size", default=_LEAST_SCRATCH)
        faults = [
            text
            for fault, text in (
                (reader.get("FileSystemConfigs"), "has a file system"),
                (scratch != _LEAST_SCRATCH, f"has {scratch} MB of scratch space"),
                (
                    reader.get("LoggingConfig", "ApplicationLogLevel", default="INFO") in {"TRACE", "DEBUG"},
                    "logs details",
                ),
            )
            if fault
        ]
        finding.broken += [note(reader, fault) for fault in faults]
        if not faults:
            finding.evidence.append(note(reader, "has nowhere to leave a text"))
    for node in model:
        if node.type.startswith("AWS::Bedrock::") and "Logging" in node.type:
            finding.broken.append(note(node, "keeps what is said to models"))


@proof("secrets.none-in-templates")
def none_in_templates(case: Case, finding: Finding) -> None:
    """No template, and no function's environment, carries the value of a secret.

    https://docs.aws.amazon.com/secretsmanager/latest/userguide/best-practices.html
    """
    model = facts(case).model
    for node in model:
        if any(isinstance(value, str) and _SECRET_TEXT.search(value) for value in walk(node.properties)):
            finding.broken.append(note(node, "holds what looks like a key"))
        variables = node.get("Environment", "Variables", default={})
        for name, value in variables.items() if isinstance(variables, dict) else ():
            if _SECRET_NAME.search(name) and isinstance(value, str) and not value.startswith(("arn:", "<")):
                finding.broken.append(note(node, f"its environment carries {name}"))
    for cluster in model.of("AWS::RDS::DBCluster", "AWS::RDS::DBInstance"):
        if isinstance(cluster.get("MasterUserPassword"), str) and "{{resolve:" not in cluster.get("MasterUserPassword"):
            finding.broken.append(note(cluster, "its password stands in the template"))
        elif cluster.get("ManageMasterUserPassword") is True:
            finding.evidence.append(note(cluster, "its password is kept and rotated by Secrets Manager"))
    for secret in model.of("AWS::SecretsManager::Secret"):
        if secret.get("SecretString") is not None:
            finding.broken.append(note(secret, "its value stands in the template"))
        else:
            finding.evidence.append(note(secret, "its value is generated where it is kept"))
