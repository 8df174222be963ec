"""Customer-managed keys: rotation, deletion, and who administers and who uses."""

from __future__ import annotations

from collections.abc import Iterator

from assembly import Resource
from gate.control import control
from gate.policies import Statement, documents
from gate.world import World, truthy

_USE = ("kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo")
_ADMINISTER = ("kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:DisableKey", "kms:DisableKeyRotation")


def _statements(key: Resource, world: World) -> list[Statement]:
    return [statement for document in documents(key, world) for statement in document.statements]


@control("keys.customer.rotation", "AWS::KMS::Key")
def rotation(key: Resource, _world: World) -> Iterator[str]:
    """Every symmetric key rotates at least once a year.

    Fix: set EnableKeyRotation, and RotationPeriodInDays to 365 or less.
    https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html
    """
    if key.properties.get("KeySpec", "SYMMETRIC_DEFAULT") != "SYMMETRIC_DEFAULT":
        return
    if not truthy(key.properties.get("EnableKeyRotation")):
        yield "the key does not rotate"
    elif int(key.properties.get("RotationPeriodInDays", 365)) > 365:
        yield f"the key rotates only every {key.properties['RotationPeriodInDays']} days"


@control("keys.customer.deletion-window", "AWS::KMS::Key", "AWS::KMS::ReplicaKey")
def deletion_window(key: Resource, _world: World) -> Iterator[str]:
    """A key's deletion can be cancelled for 30 days, the longest that KMS offers.

    Fix: set PendingWindowInDays to 30.
    https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys.html
    """
    days = int(key.properties.get("PendingWindowInDays", 30))
    if days < 30:
        yield f"the key is gone {days} days after its deletion is asked for"


@control("keys.customer.enabled", "AWS::KMS::Key")
def enabled(key: Resource, _world: World) -> Iterator[str]:
    """No key is disabled, and none skips the check that somebody can still change its policy.

    Fix: remove Enabled: false and BypassPolicyLockoutSafetyCheck.
    https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html
    """
    if key.properties.get("Enabled") in {False, "false"}:
        yield "the key is disabled, so what it encrypts cannot be read"
    if truthy(key.properties.get("BypassPolicyLockoutSafetyCheck")):
        yield "the key skips the lock-out check of its policy"


@control("keys.policy.callers", "AWS::KMS::Key")
def callers(key: Resource, world: World) -> Iterator[str]:
    """Nobody uses a key unless named or bounded: no open principal, and no service on behalf of just anybody.

    Fix: name the principal, and add aws:SourceAccount, aws:SourceArn, aws:SourceOrgID or an encryption context.
    https://docs.aws.amazon.com/kms/latest/developerguide/least-privilege.html
    """
    for statement in _statements(key, world):
        if statement.allows:
            # An alarm's own call of KMS is documented with the account alone.
            for service in set(statement.half_bound) - {"cloudwatch.amazonaws.com"}:
                yield f"{statement} binds {service} by account or resource only, not by both"
        if not statement.allows or statement.bounded:
            continue
        if statement.anyone:
            yield f"{statement} lets everybody call {', '.join(statement.actions)}"
        for service in statement.services:
            yield f"{statement} lets {service} use the key on behalf of any AWS customer"


@control("keys.policy.separation", "AWS::KMS::Key")
def separation(key: Resource, world: World) -> Iterator[str]:
    """Whoever administers a key does not use it by the same right, and use by IAM is bounded to named services.

    Fix: split the statement into administration and use, and add kms:ViaService to the latter.
    https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
    """
    account = world.stack(key).account
    for statement in _statements(key, world):
        if not statement.allows:
            continue
        uses = [action for action in _USE if statement.covers(action)]
        administers = [action for action in _ADMINISTER if statement.covers(action)]
        if uses and administers:
            yield f"{statement} allows both {administers[0]} and {uses[0]}"
        root = any(kind == "AWS" and value.endswith(":root") for kind, value in statement.principals)
        keys = {condition.key.lower() for condition in statement.conditions if condition.bounds}
        named_context = any(
            condition.key.startswith("kms:EncryptionContext:") and (condition.bounds or condition.values == ("false",))
            for condition in statement.conditions
        )
        through = named_context or bool(keys & {"kms:viaservice", "aws:principalarn"})
        if uses and root and not through:
            yield f"{statement} lets IAM policies of the account grant {uses[0]} through any service"
        abroad = [value for kind, value in statement.principals if kind == "AWS" and account not in value]
        if abroad and any(value.endswith(":root") for value in abroad) and "aws:principalarn" not in keys:
            yield f"{statement} lets everybody in {abroad[0]} use the key"
        if statement.services and administers:
            yield f"{statement} lets {', '.join(statement.services)} administer the key"
        if statement.not_actions:
            yield f"{statement} allows all actions but a few"


@control("keys.policy.grants", "AWS::KMS::Key")
def grants(key: Resource, world: World) -> Iterator[str]:
    """Grants on a key are made only for AWS resources or by bounded callers.

    Fix: add the condition Bool kms:GrantIsForAWSResource true to the statement that allows kms:CreateGrant.
    https://docs.aws.amazon.com/kms/latest/developerguide/grants.html
    """
    for statement in _statements(key, world):
        if statement.allows and statement.covers("kms:CreateGrant") and not statement.covers("kms:PutKeyPolicy"):
            condition = statement.condition("kms:GrantIsForAWSResource")
            if not (condition and condition.values == ("true",)):
                yield f"{statement} lets callers hand the key on by a grant"


@control("keys.policy.administrators-refused", "AWS::KMS::Key")
def administrators_refused(key: Resource, world: World) -> Iterator[str]:
    """Key administrators are refused every use of the key, whatever their other permissions.

    Fix: add a Deny of Encrypt, Decrypt, ReEncrypt*, GenerateDataKey* and CreateGrant for the administrators' aws:PrincipalArn,
    or for everybody of the key's own account.
    https://docs.aws.amazon.com/kms/latest/developerguide/best-practices-iam.html
    """
    account = world.stack(key).account
    denials = [
        statement
        for statement in _statements(key, world)
        if not statement.allows
        and statement.anyone
        and any(
            (
                condition.key.lower() == "aws:principalarn"
                and condition.operator in {"ArnLike", "StringLike"}
                and any("administrator" in value.lower() for value in condition.values)
            )
            or (
                condition.key.lower() == "aws:principalaccount"
                and condition.operator == "StringEquals"
                and account in condition.values
            )
            for condition in statement.conditions
        )
    ]
    for action in (*_USE, "kms:CreateGrant"):
        if not any(denial.covers(action) for denial in denials):
            yield f"nothing refuses {action} to the key's administrators"


@control("keys.policy.manageable", "AWS::KMS::Key")
def manageable(key: Resource, world: World) -> Iterator[str]:
    """The key's own account can administer it, so that it never becomes unmanageable, and no other account can.

    Fix: allow the account's root principal the administrative actions.
    https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html
    """
    account = world.stack(key).account
    administrators = [
        value
        for statement in _statements(key, world)
        if statement.allows and statement.covers("kms:PutKeyPolicy")
        for kind, value in statement.principals
        if kind == "AWS"
    ]
    if not any(account in value for value in administrators):
        yield f"nobody in account {account} may change the key's policy"
    for value in administrators:
        if account not in value:
            yield f"{value} outside the key's account may change its policy"


@control("keys.vault.context", "AWS::KMS::Key")
def vault_context(key: Resource, world: World) -> Iterator[str]:
    """A key that other accounts use for one tenant at a time is used with no other names in the context, by named roles.

    Fix: bind each statement by aws:PrincipalArn, kms:EncryptionContext:tenant, kms:EncryptionContext:purpose and
    ForAllValues:StringEquals kms:EncryptionContextKeys.
    https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-encryption-context-keys
    """
    bounds = {"aws:principalarn", "kms:encryptioncontext:tenant", "kms:encryptioncontextkeys"}
    uses = [one for one in _statements(key, world) if one.allows and any(one.covers(action) for action in _USE)]
    named = [{condition.key.lower() for condition in one.conditions} for one in uses]
    if not any({"kms:encryptioncontext:tenant", "kms:encryptioncontextkeys"} & names for names in named):
        return
    for statement, names in zip(uses, named, strict=True):
        for missing in sorted({*bounds, "kms:encryptioncontext:purpose"} - names):
            yield f"{statement} is not bound by {missing}"
