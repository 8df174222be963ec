"""The product's own users: how they sign in, and how long a token is good."""

from __future__ import annotations

from collections.abc import Iterator

from assembly import Resource
from gate.control import control
from gate.world import World, as_list, at, truthy

SHORTEST_PASSWORD = 12
LONGEST_TOKEN_MINUTES = 15
LONGEST_SESSION_HOURS = 24
_UNITS = {"seconds": 1 / 60, "minutes": 1.0, "hours": 60.0, "days": 1440.0}
_SAFE_FLOWS = frozenset({"ALLOW_USER_SRP_AUTH", "ALLOW_USER_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"})


@control("users.pool.sign-in", "AWS::Cognito::UserPool")
def sign_in(pool: Resource, _world: World) -> Iterator[str]:
    """Users are invited and sign in with a strong password and an authenticator's code.

    Fix: set MfaConfiguration to ON, EnabledMfas to SOFTWARE_TOKEN_MFA alone, a password policy and invitations only.
    https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-security-best-practices.html
    """
    if pool.properties.get("MfaConfiguration") != "ON":
        yield "a password alone is enough, because MfaConfiguration is not ON"
    if set(as_list(pool.properties.get("EnabledMfas"))) != {"SOFTWARE_TOKEN_MFA"}:
        yield "EnabledMfas is not the authenticator alone; text messages and mails can be read by others"
    policy = at(pool.properties, "Policies", "PasswordPolicy", default={})
    if int(at(policy, "MinimumLength", default=0)) < SHORTEST_PASSWORD:
        yield f"passwords may have fewer than {SHORTEST_PASSWORD} characters"
    for what in ("Lowercase", "Uppercase", "Numbers", "Symbols"):
        if not truthy(at(policy, f"Require{what}")):
            yield f"passwords need no {what.lower()}"
    if int(at(policy, "TemporaryPasswordValidityDays", default=7)) > 7:
        yield "an invitation is good for more than a week"
    if not truthy(at(pool.properties, "AdminCreateUserConfig", "AllowAdminCreateUserOnly")):
        yield "anybody may sign up"
    if truthy(at(pool.properties, "UsernameConfiguration", "CaseSensitive", default=False)):
        yield "two users may differ by the case of one letter"


@control("users.pool.threats", "AWS::Cognito::UserPool")
def threats(pool: Resource, world: World) -> Iterator[str]:
    """Threat protection and a web ACL block what is hostile, and what users do at sign-in is recorded.

    Fix: take the plan PLUS, enforce, attach a risk configuration that blocks and a web ACL, and deliver userAuthEvents.
    https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pool-settings-threat-protection.html
    """
    if pool.properties.get("UserPoolTier") != "PLUS":
        yield "its plan has no threat protection"
    mode = at(pool.properties, "UserPoolAddOns", "AdvancedSecurityMode")
    if mode != "ENFORCED":
        yield f"threat protection only looks on (AdvancedSecurityMode is {mode})"
    custom = at(pool.properties, "UserPoolAddOns", "AdvancedSecurityAdditionalFlows", "CustomAuthMode")
    if custom not in {None, "ENFORCED"}:
        yield f"threat protection only looks on at custom sign-ins (CustomAuthMode is {custom})"
    risks = list(world.pointing_at(pool, "UserPoolId", "AWS::Cognito::UserPoolRiskConfigurationAttachment"))
    leaked = [
        at(risk.properties, "CompromisedCredentialsRiskConfiguration", "Actions", "EventAction") for risk in risks
    ]
    taken = [
        at(risk.properties, "AccountTakeoverRiskConfiguration", "Actions", "HighAction", "EventAction")
        for risk in risks
    ]
    if any(risk.properties.get("ClientId") != "ALL" for risk in risks):
        yield "a risk configuration is of one app only, and the others look on"
    if "BLOCK" not in leaked:
        yield "no risk configuration blocks leaked passwords"
    if "BLOCK" not in taken:
        yield "no risk configuration blocks a sign-in of high risk"
    if not any(world.pointing_at(pool, "ResourceArn", "AWS::WAFv2::WebACLAssociation")):
        yield "no web ACL looks at its sign-in pages"
    logs = world.pointing_at(pool, "UserPoolId", "AWS::Cognito::LogDeliveryConfiguration")
    sources = [at(item, "EventSource") for log in logs for item in as_list(log.properties.get("LogConfigurations"))]
    if "userAuthEvents" not in sources:
        yield "what users do at sign-in is recorded nowhere"


@control("users.pool.key", "AWS::Cognito::UserPool")
def key(pool: Resource, _world: World) -> Iterator[str]:
    """What the directory knows about users lies under a key of this deployment.

    Fix: set KeyConfiguration to CUSTOMER_MANAGED_KEY and name the key.
    https://docs.aws.amazon.com/cognito/latest/developerguide/encryption-at-rest.html
    """
    kind = at(pool.properties, "KeyConfiguration", "KeyType")
    if kind != "CUSTOMER_MANAGED_KEY" or not at(pool.properties, "KeyConfiguration", "KmsKeyArn"):
        yield f"its key is {kind or 'AWS_OWNED_KEY'}"


@control("users.client.flow", "AWS::Cognito::UserPoolClient")
def flow(client: Resource, _world: World) -> Iterator[str]:
    """An app gets tokens for a code alone, over TLS; no call carries a password, and no answer tells who has an account.

    Fix: allow the code grant only, https callbacks, SRP, PreventUserExistenceErrors, and no writing of custom attributes.
    https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-client-apps.html
    """
    properties = client.properties
    grants = as_list(properties.get("AllowedOAuthFlows"))
    if grants != ["code"]:
        yield f"it allows the grants {', '.join(map(str, grants)) or 'none'}; the code grant alone keeps tokens out of addresses"
    for place in ("CallbackURLs", "LogoutURLs"):
        for url in as_list(properties.get(place)):
            if isinstance(url, str) and not url.startswith("https://"):
                yield f"{place} sends users to {url}"
    flows = set(map(str, as_list(properties.get("ExplicitAuthFlows"))))
    if not flows or flows - _SAFE_FLOWS:
        yield f"passwords may be sent in a call ({', '.join(sorted(flows - _SAFE_FLOWS)) or 'by default'})"
    if properties.get("PreventUserExistenceErrors") != "ENABLED":
        yield "its errors tell who has an account"
    written = properties.get("WriteAttributes")
    if written is None or any(str(name).startswith("custom:") for name in as_list(written)):
        yield "users may write custom attributes, which say whose they are"


@control("users.client.sessions", "AWS::Cognito::UserPoolClient")
def sessions(client: Resource, _world: World) -> Iterator[str]:
    """Tokens live minutes; a refresh token is replaced when used, can be revoked and ends within a day.

    Fix: set AccessTokenValidity, IdTokenValidity and RefreshTokenValidity with units, rotation and revocation.
    https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-refresh-token.html
    """
    for kind, unit, longest in (
        ("AccessToken", "hours", LONGEST_TOKEN_MINUTES),
        ("IdToken", "hours", LONGEST_TOKEN_MINUTES),
        ("RefreshToken", "days", LONGEST_SESSION_HOURS * 60),
    ):
        length = client.properties.get(f"{kind}Validity")
        named = str(at(client.properties, "TokenValidityUnits", kind, default=unit))
        if not length or float(length) * _UNITS.get(named, 1e9) > longest:
            yield f"{kind}Validity is {length} {named}; at most {longest} minutes are allowed"
    if at(client.properties, "RefreshTokenRotation", "Feature") != "ENABLED":
        yield "a stolen refresh token works as often as it is tried"
    if not truthy(client.properties.get("EnableTokenRevocation")):
        yield "a token cannot be revoked"
