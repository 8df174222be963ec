"""Promises about the product's own users: how they sign in, what their tokens say, and how long those are good."""

from __future__ import annotations

from collections.abc import Iterator

from proofs.finding import Case, Finding, Note, note, proof
from proofs.model import Model, Node, as_list, at, truthy
from proofs.register.questions import facts, statements, texts

_POOL = "AWS::Cognito::UserPool"
_CLIENT = "AWS::Cognito::UserPoolClient"
_ROLES = frozenset({"administrator", "editor", "reader"})
_LONGEST_MINUTES = 15
_LONGEST_SESSION_HOURS = 24
_UNITS = {"seconds": 1 / 60, "minutes": 1.0, "hours": 60.0, "days": 1440.0}


def _of(model: Model, pool: Node, cfn_type: str) -> list[Node]:
    return [node for node in model.referrers(pool, cfn_type) if model.find(node.get("UserPoolId"), _POOL) is pool]


def _outside(model: Model, finding: Finding) -> None:
    """Stages whose users sign in elsewhere: no template says how, so it is taken for granted by name."""
    for authorizer in _authorizers(model):
        issuer = authorizer.get("Environment", "Variables", "ISSUER")
        if issuer is not None and not authorizer.get("Environment", "Variables", "USER_POOL_ID"):
            finding.assumptions.append(
                f"{issuer}, where users of {authorizer.stack.name} sign in, keeps the promise itself"
            )


def _authorizers(model: Model) -> Iterator[Node]:
    for node in model.of("AWS::Lambda::Function"):
        if "ISSUER" in (node.get("Environment", "Variables", default={}) or {}):
            yield node


@proof("users.sign-in-is-guarded")
def sign_in_is_guarded(case: Case, finding: Finding) -> None:
    """Users are invited, have a strong password and a second factor, and threat protection stops what looks stolen.

    https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-security-best-practices.html
    """
    model = facts(case).model
    _outside(model, finding)
    for pool in model.of(_POOL):
        problems = [*_weak_sign_in(pool), *_unwatched(model, pool)]
        finding.broken.extend(note(pool, problem) for problem in problems)
        if not problems:
            finding.evidence.append(note(pool, "asks for a strong password and a code, and blocks what looks stolen"))


def _weak_sign_in(pool: Node) -> Iterator[str]:
    if pool.get("MfaConfiguration") != "ON":
        yield "lets users in without a second factor"
    if set(as_list(pool.get("EnabledMfas"))) != {"SOFTWARE_TOKEN_MFA"}:
        yield "takes a second factor that can be intercepted"
    policy = pool.get("Policies", "PasswordPolicy", default={})
    if int(at(policy, "MinimumLength", default=0)) < 12 or not all(
        truthy(at(policy, f"Require{what}")) for what in ("Lowercase", "Uppercase", "Numbers", "Symbols")
    ):
        yield "takes weak passwords"
    if not truthy(pool.get("AdminCreateUserConfig", "AllowAdminCreateUserOnly")):
        yield "lets anybody sign up"


def _unwatched(model: Model, pool: Node) -> Iterator[str]:
    if pool.get("UserPoolTier") != "PLUS" or pool.get("UserPoolAddOns", "AdvancedSecurityMode") != "ENFORCED":
        yield "its threat protection does not act"
    blocking = [
        risk
        for risk in _of(model, pool, "AWS::Cognito::UserPoolRiskConfigurationAttachment")
        if risk.get("CompromisedCredentialsRiskConfiguration", "Actions", "EventAction") == "BLOCK"
        and risk.get("AccountTakeoverRiskConfiguration", "Actions", "HighAction", "EventAction") == "BLOCK"
    ]
    if not blocking:
        yield "lets leaked passwords and risky sign-ins through"


@proof("users.three-roles")
def three_roles(case: Case, finding: Finding) -> None:
    """Users are readers, editors or administrators, and only administrators of the directory say which, and whose they are.

    https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-user-groups.html
    """
    model = facts(case).model
    _outside(model, finding)
    for pool in model.of(_POOL):
        groups = {str(group.get("GroupName")) for group in _of(model, pool, "AWS::Cognito::UserPoolGroup")}
        writable = [
            client for client in _of(model, pool, _CLIENT) if "custom:tenant" in as_list(client.get("WriteAttributes"))
        ]
        if groups != _ROLES:
            finding.broken.append(note(pool, f"its roles are {', '.join(sorted(groups)) or 'none'}"))
        finding.broken.extend(note(client, "lets users say whose they are") for client in writable)
        if not pool.get("LambdaConfig", "PreTokenGenerationConfig", "LambdaArn"):
            finding.broken.append(note(pool, "its tokens name no tenant"))
        elif groups == _ROLES and not writable:
            finding.evidence.append(note(pool, "has the three roles, and tokens name the tenant"))


@proof("users.federate")
def federate(case: Case, finding: Finding) -> None:
    """Users sign in through their company's SAML provider or Google, whose secret is in no template.

    https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-identity-federation.html
    """
    model = facts(case).model
    _outside(model, finding)
    for pool in model.of(_POOL):
        providers = {
            str(provider.get("ProviderName")): provider
            for provider in _of(model, pool, "AWS::Cognito::UserPoolIdentityProvider")
        }
        offered: set[str] = set()
        for client in _of(model, pool, _CLIENT):
            names = set(map(str, as_list(client.get("SupportedIdentityProviders")))) - {"COGNITO"}
            offered |= names & set(providers)
            for name in sorted(names - set(providers)):
                finding.broken.append(note(pool, f"an app offers {name}, which is not there"))
        for name in sorted(set(providers) - offered):
            finding.broken.append(note(pool, f"no app offers {name}, which is there"))
        for provider in providers.values():
            secret = provider.get("ProviderDetails", "client_secret")
            if secret is not None and "{{resolve:secretsmanager:" not in str(secret):
                finding.broken.append(note(provider, "its secret stands in the template"))
        kinds = {str(providers[name].get("ProviderType")) for name in offered}
        for kind in ("SAML", "Google"):
            if kind in kinds:
                finding.evidence.append(note(pool, f"lets users in through {kind}"))
            else:
                finding.missing.append(note(pool, f"no user can come in through {kind}"))


@proof("users.sessions-are-short")
def sessions_are_short(case: Case, finding: Finding) -> None:
    """Sessions begin by code with no implicit grant; tokens live minutes, and refreshing replaces the token and ends in a day.

    https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-refresh-token.html
    """
    model = facts(case).model
    _outside(model, finding)
    for client in model.of(_CLIENT):
        problems = list(_long_sessions(client))
        finding.broken.extend(note(client, problem) for problem in problems)
        if not problems:
            finding.evidence.append(note(client, "tokens live minutes, sessions end within a day"))


def _minutes(client: Node, kind: str, unit: str) -> float:
    named = client.get("TokenValidityUnits", kind, default=unit)
    return float(client.get(f"{kind}Validity", default=0) or 1e9) * _UNITS.get(str(named), 1e9)


def _long_sessions(client: Node) -> Iterator[str]:
    if as_list(client.get("AllowedOAuthFlows")) != ["code"]:
        yield "hands out tokens by another grant than the code"
    if _minutes(client, "AccessToken", "hours") > _LONGEST_MINUTES:
        yield f"its access tokens live longer than {_LONGEST_MINUTES} minutes"
    if _minutes(client, "RefreshToken", "days") > _LONGEST_SESSION_HOURS * 60:
        yield f"its sessions last longer than {_LONGEST_SESSION_HOURS} hours"
    if client.get("RefreshTokenRotation", "Feature") != "ENABLED":
        yield "a stolen refresh token works as often as it is tried"
    if not truthy(client.get("EnableTokenRevocation")):
        yield "its tokens cannot be revoked"


@proof("users.tokens-end-with-their-user")
def tokens_end_with_their_user(case: Case, finding: Finding) -> None:
    """Whoever decides about requests asks the directory whether the token's user is still there.

    https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AdminGetUser.html
    """
    model = facts(case).model
    _outside(model, finding)
    for authorizer in _authorizers(model):
        named = authorizer.get("Environment", "Variables", "USER_POOL_ID")
        pool = model.find(named, _POOL, near=authorizer) if named else None
        if pool is None:
            if str(authorizer.get("Environment", "Variables", "ISSUER")).startswith("https://cognito-idp."):
                finding.broken.append(note(authorizer, "believes tokens of users it never asks about"))
            continue
        role = model.find(authorizer.get("Role"), "AWS::IAM::Role", near=authorizer)
        allowed = role is not None and any(
            statement.get("Effect") == "Allow"
            and "cognito-idp:AdminGetUser" in texts(statement.get("Action"))
            and pool.arn in texts(statement.get("Resource"))
            for policy in model.referrers(role, "AWS::IAM::ManagedPolicy", "AWS::IAM::Policy")
            for statement in statements(policy.get("PolicyDocument"))
        )
        if allowed:
            finding.evidence.append(note(authorizer, f"asks {pool.path} for the user of a token"))
        else:
            finding.broken.append(note(authorizer, "may not ask the directory, so it can let nobody in"))
    for pool in model.of(_POOL):
        if not any(pool in model.references(authorizer) for authorizer in _authorizers(model)):
            finding.missing.append(Note(pool.path, "no authorizer asks this directory", pool.type))
