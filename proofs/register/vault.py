"""Promises about third-party credentials: ciphertext and key in different accounts, one tenant at a time, reads on record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from proofs.delivery.judge import plain
from proofs.finding import Case, Finding, Note, note, proof
from proofs.model import Model, Node
from proofs.policy import PolicyKind, PolicySet, Request, compile_policy, evaluate
from proofs.policy.context import ContextValue
from proofs.register.questions import Facts, facts, statements, texts

_SEAL, _OPEN = "kms:GenerateDataKey", "kms:Decrypt"
_OURS = {"tenant": "ours", "purpose": "any-api"}
_REFUSED: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "another tenant's session": ("theirs", _OURS),
    "a session without a tenant": ("", _OURS),
    "no purpose": ("ours", {"tenant": "ours"}),
    "no context": ("ours", {}),
    "a further name in the context": ("ours", {**_OURS, "more": "x"}),
}
"""Tenant of the session and encryption context of what must not be opened."""


@proof("secrets.vault-key-and-ciphertext-are-apart")
def vault_key_and_ciphertext_are_apart(case: Case, finding: Finding) -> None:
    """Credentials lie in the stage, sealed under a key of another account that opens them for their own tenant and purpose
    alone, to roles that record each read in the archive and write nothing; whoever writes them cannot open them.

    That the functions seal and open with this context, and refuse what they cannot record, is shown by
    tests/lambda/keep_credential and by the rehearsal's scenarios of the vault.
    https://docs.aws.amazon.com/encryption-sdk/latest/developer-guide/concepts.html#encryption-context
    """
    known = facts(case)
    found = False
    for function in known.model.of("AWS::Lambda::Function"):
        settings = function.get("Environment", "Variables", default={})
        if not isinstance(settings, Mapping) or "VAULT_TABLE_NAME" not in settings:
            continue
        found = True
        role = _named(known.model, "AWS::IAM::Role", "RoleName", settings.get("VAULT_ROLE_ARN"), function)
        table = _named(known.model, "AWS::DynamoDB::Table", "TableName", settings.get("VAULT_TABLE_NAME"), function)
        aliases = str(settings.get("KEY_ALIASES", "")).split()
        keys = [_key(known.model, alias) for alias in aliases]
        if role is None or table is None or not keys or None in keys:
            finding.missing.append(note(function, "its role, table or keys are not in these templates"))
            continue
        if table.get("ResourcePolicy") is not None:
            finding.broken.append(note(table, "other accounts may be let into it"))
        for key in filter(None, keys):
            problems = list(_problems(known, key, table, role))
            finding.broken.extend(note(key, problem) for problem in problems)
            if not problems:
                finding.evidence.append(note(key, f"opens {table.path} for {role.path} one tenant at a time"))
    if not found:
        finding.missing.append(Note("stages", "no function uses a vault", "account"))


def _problems(known: Facts, key: Node, table: Node, role: Node) -> Iterator[str]:
    if key.account == table.account:
        yield f"it lies in the account of {table.path}, which it opens"
    if key.account in known.stages:
        yield "it lies in an account of workloads"
    arn = _arn(role)
    policy = [statement for one in known.model.referrers(role, "AWS::IAM::ManagedPolicy") for statement in _of(one)]
    opens, seals = (_may(known, key, arn, action, ("ours", _OURS)) for action in (_OPEN, _SEAL))
    if not opens and not seals:
        yield f"{role.path} can do nothing with it"
    writes = any(action in texts(s.get("Action")) for s in policy for action in _WRITES)
    if opens and writes and not seals:
        yield f"{role.path} reads credentials and writes into the table"
    creates = any("dynamodb:PutItem" in texts(s.get("Action")) for s in policy)
    if opens and creates:
        yield f"{role.path} keeps credentials and can read them back"
    if opens and not seals and not _records(policy, key.account, table.account):
        yield f"{role.path} reads credentials and cannot record it"
    yield from _too_much(known, key, table, role)


def _too_much(known: Facts, key: Node, table: Node, role: Node) -> Iterator[str]:
    arn = _arn(role)
    for what, by in _REFUSED.items():
        for action in (_OPEN, _SEAL):
            if _may(known, key, arn, action, by):
                yield f"{role.path} may {action} with {what}"
    for account in {key.account, table.account}:
        other = f"arn:aws:iam::{account}:role/administrator"
        for action in (_OPEN, _SEAL, "kms:CreateGrant", "kms:ReEncryptFrom", "kms:Encrypt"):
            if _may(known, key, other, action, ("ours", _OURS)):
                yield f"{other} may {action}"
    stranger = f"arn:aws:iam::{table.account}:role/administrator"
    if _may(known, key, stranger, "kms:DescribeKey", ("", {})):
        yield f"{stranger} may find it"


_WRITES = ("dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem")


def _may(known: Facts, key: Node, principal: str, action: str, by: tuple[str, Mapping[str, str]]) -> bool:
    """Whether an administrator could do this by the key's policy: ``by`` are the tenant of the session, and the context."""
    tenant, context = by
    values: dict[str, ContextValue] = {
        "kms:CallerAccount": principal.split(":")[4],
        **{f"kms:EncryptionContext:{name}": value for name, value in context.items()},
    }
    if context:
        values["kms:EncryptionContextKeys"] = tuple(context)
    if tenant:
        values["aws:PrincipalTag/tenant"] = tenant
    request = Request(
        principal=principal, action=action, resource=plain(key.arn), resource_account=key.account, context=values
    )
    policies = PolicySet(identity_policies=(_EVERYTHING,), resource_policy=known.judge.document(key))
    return evaluate(request, policies).possibly_allowed


_EVERYTHING = compile_policy(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]},
    PolicyKind.IDENTITY,
    "an administrator's policy",
)


def _records(policy: Sequence[Mapping[str, Any]], *own: str) -> bool:
    """Whether the role may put records of its tenant's reads into a bucket of neither the key's account nor its own."""
    return any(
        "s3:PutObject" in texts(statement.get("Action"))
        and "${aws:PrincipalTag/tenant}/read." in resource
        and not any(resource.split("/")[0].endswith(account) for account in own)
        for statement in policy
        for resource in texts(statement.get("Resource"))
    )


def _of(policy: Node) -> Iterator[Mapping[str, Any]]:
    return (one for one in statements(policy.get("PolicyDocument")) if one.get("Effect") == "Allow")


def _arn(role: Node) -> str:
    return f"arn:aws:iam::{role.account}:role/{role.get('RoleName')}"


def _named(model: Model, kind: str, prop: str, name: Any, near: Node) -> Node | None:
    """The resource of the function's account that a name or ARN means."""
    wanted = str(name).rpartition("/")[2]
    return next((one for one in model.of(kind, account=near.account) if one.get(prop) == wanted), None)


def _key(model: Model, alias: str) -> Node | None:
    """The key behind an alias's ARN."""
    parts = alias.split(":", 5)
    if len(parts) != 6:
        return None
    for one in model.of("AWS::KMS::Alias", account=parts[4], region=parts[3]):
        if one.get("AliasName") == parts[5]:
            return model.find(one.get("TargetKeyId"), "AWS::KMS::Key", near=one)
    return None
