"""Parts of the databases and secrets."""

from __future__ import annotations

from rehearsal.emulator.spec import named, spec, text

spec(
    "AWS::RDS::EventSubscription",
    "rds",
    "create_event_subscription",
    named("SubscriptionName"),
    extra=lambda p, c: {"SubscriptionName": p.get("SubscriptionName") or c.name()},
    recorded=True,
)
spec(
    "AWS::SecretsManager::RotationSchedule",
    "secretsmanager",
    "rotate_secret",
    lambda p, _r, _c: p["SecretId"],
    extra=lambda _p, _c: {"RotateImmediately": False},
    drop=("RotateImmediatelyOnUpdate", "HostedRotationLambda"),
    update="create",
    delete="cancel_rotate_secret",
    delete_with=lambda i, _p, _a: {"SecretId": i},
)
spec(
    "AWS::SecretsManager::ResourcePolicy",
    "secretsmanager",
    "put_resource_policy",
    lambda p, _r, _c: p["SecretId"],
    drop=("ResourcePolicy",),
    extra=lambda p, _c: {"ResourcePolicy": text(dict(p["ResourcePolicy"]))},
    update="create",
    delete="delete_resource_policy",
    delete_with=lambda i, _p, _a: {"SecretId": i},
)
