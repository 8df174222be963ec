"""Who asks, and whom a policy means by ``Principal`` and ``NotPrincipal``.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from functools import lru_cache
from typing import Any, Final

from proofs.policy.errors import RequestError
from proofs.policy.patterns import ARN_FIELDS, GAP, RUN, matcher

_ACCOUNT: Final = re.compile(r"\d{12}")
_SERVICE: Final = re.compile(r"[a-z0-9][a-z0-9.-]*\.(?:amazonaws\.com(?:\.cn)?|aws\.internal|amazon\.com)")
_UNIQUE_ID: Final = re.compile(r"A[A-Z]{3}[A-Z0-9]{12,}")
_SESSION: Final = re.compile(r"(<[^>]+>|[^/]+)/([^/]+)")
"""Role and session; the name of a role that AWS invents at deployment stands in pointed brackets."""
_DOMAIN: Final = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+(/\S*)?")
_WEB_IDENTITIES: Final = frozenset({"cognito-identity.amazonaws.com", "www.amazon.com"})


class Kind(Enum):
    """What sort of principal asks."""

    ROOT = "Account"
    USER = "User"
    ROLE = "AssumedRole"
    """A role session; also a role named without its session."""
    FEDERATED_USER = "FederatedUser"
    """A session of GetFederationToken."""
    SERVICE = "Service"
    PROVIDER = "Provider"
    """An identity provider on whose word a role is assumed."""
    ANONYMOUS = "Anonymous"


class Grant(IntEnum):
    """How closely a resource policy names the requester: it decides what else must allow the request."""

    NONE = 0
    ACCOUNT = 1
    """It names the account, which must pass the permission on by its own policies."""
    ENTITY = 2
    """It names the role or user behind the session, whose permissions boundary and session policy still limit it."""
    DIRECT = 3
    """It names this very user, session or service, or everyone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Requester:
    """The principal of a request."""

    kind: Kind
    name: str
    """The ARN, or the name of a service or identity provider."""
    account: str | None = None
    issuer: str | None = None
    """ARN of the role or user behind a session."""
    issuer_has_path: bool = False
    """Whether ``issuer`` is known whole; the ARN of a session leaves out the path of its role."""
    service_linked: bool = False
    canonical_user: str | None = None
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Context keys that follow from who asks, by name in lower case."""


def requester(principal: Any, issuer: str | None = None, canonical_user: str | None = None) -> Requester:
    """Who is meant by a request's principal: an ARN, account id, service name, ``*``, or an object such as
    ``{"Service": "cloudtrail.amazonaws.com"}``.

    Raises :class:`RequestError` for anything that cannot make a request, such as a group.
    """
    for name, value in (("session_issuer", issuer), ("canonical_user", canonical_user)):
        if value is not None and not isinstance(value, str):
            raise RequestError([f"request.{name}: must be text, not {value!r}"])
    if isinstance(principal, Mapping):
        if len(principal) != 1 or not isinstance(value := next(iter(principal.values())), str):
            raise RequestError([f"request.principal: must name one principal, not {principal!r}"])
        return _requester(value, next(iter(principal)), issuer, canonical_user)
    if not isinstance(principal, str) or not principal:
        raise RequestError([f"request.principal: must be an ARN, account id, service name or '*', not {principal!r}"])
    return _requester(principal, None, issuer, canonical_user)


@lru_cache(maxsize=1 << 14)
def _requester(name: str, type_: str | None, issuer: str | None, canonical_user: str | None) -> Requester:
    if type_ not in (None, "AWS", "Service", "Federated"):
        raise RequestError([f"request.principal: type must be AWS, Service or Federated, not {type_!r}"])
    if type_ == "Federated":
        return Requester(kind=Kind.PROVIDER, name=name, keys=_keys(Kind.PROVIDER))
    if name in ("*", "anonymous"):
        return Requester(kind=Kind.ANONYMOUS, name="anonymous", keys=_keys(Kind.ANONYMOUS))
    if type_ == "Service" or (type_ is None and _SERVICE.fullmatch(name) and name not in _WEB_IDENTITIES):
        return Requester(kind=Kind.SERVICE, name=name, keys=_keys(Kind.SERVICE, service=name))
    if _ACCOUNT.fullmatch(name):
        name = f"arn:aws:iam::{name}:root"
    if name.startswith("arn:"):
        return _entity(name, issuer, canonical_user)
    if type_ is None and _DOMAIN.fullmatch(name):
        return Requester(kind=Kind.PROVIDER, name=name, keys=_keys(Kind.PROVIDER))
    raise RequestError([f"request.principal: {name!r} is no ARN, account id, service name or '*'"])


def _entity(arn: str, issuer: str | None, canonical_user: str | None) -> Requester:
    parts = arn.split(":", ARN_FIELDS - 1)
    if len(parts) < ARN_FIELDS or parts[3] or not _ACCOUNT.fullmatch(parts[4]):
        raise RequestError([f"request.principal: {arn!r} is no principal's ARN (arn:aws:iam::<12 digits>:role/name)"])
    partition, service, account, resource = parts[1], parts[2], parts[4], parts[5]
    type_, _, rest = resource.partition("/")
    kind: Kind | None = None
    has_path = issuer is not None
    linked = False
    if service == "iam" and resource == "root":
        kind = Kind.ROOT
    elif service == "iam" and type_ == "user" and rest:
        kind = Kind.USER
    elif service == "iam" and type_ == "role" and rest:
        kind, issuer, has_path = Kind.ROLE, arn, True
    elif service == "iam" and type_ in ("saml-provider", "oidc-provider") and rest:
        return Requester(kind=Kind.PROVIDER, name=arn, keys=_keys(Kind.PROVIDER))
    elif service == "sts" and type_ == "assumed-role" and (session := _SESSION.fullmatch(rest)):
        kind = Kind.ROLE
        issuer = issuer or f"arn:{partition}:iam::{account}:role/{session[1]}"
    elif service == "sts" and type_ == "federated-user" and rest:
        kind = Kind.FEDERATED_USER
    if kind is None:
        raise RequestError([f"request.principal: {arn!r} is not a user, role, role session, federated user or root"])
    if kind is Kind.ROLE and issuer:
        linked = "role/aws-service-role/" in issuer or name_in(issuer).startswith("AWSServiceRoleFor")
    return Requester(
        kind=kind,
        name=arn,
        account=account,
        issuer=issuer if kind in (Kind.ROLE, Kind.FEDERATED_USER) else None,
        issuer_has_path=has_path,
        service_linked=linked,
        canonical_user=canonical_user,
        keys=_keys(kind, arn=issuer if kind is Kind.ROLE and issuer else arn, account=account),
    )


def _keys(kind: Kind, *, arn: str = "", account: str = "", service: str = "") -> dict[str, tuple[str, ...]]:
    """What AWS itself puts into the request context about the principal.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principal-properties
    """
    keys: dict[str, tuple[str, ...]] = {"aws:principalisawsservice": ("true" if service else "false",)}
    if service:
        keys["aws:principalservicename"] = (service,)
        keys["aws:principalservicenameslist"] = (service,)
    elif kind is not Kind.PROVIDER:
        keys["aws:principaltype"] = (kind.value,)
    if account:
        keys["aws:principalaccount"] = (account,)
        keys["aws:principalarn"] = (arn,)
    if kind is Kind.USER:
        keys["aws:username"] = (name_in(arn),)
    elif kind is Kind.ROOT:
        keys["aws:userid"] = (account,)
    return keys


@dataclass(frozen=True, slots=True, kw_only=True)
class PrincipalElement:
    """The ``Principal`` or ``NotPrincipal`` of a statement."""

    everyone: bool = False
    arns: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()
    """ARNs of accounts' roots: naming the account id means the same."""
    roles: frozenset[str] = frozenset()
    """``arns`` of roles without their paths: no account has two roles of one name."""
    services: frozenset[str] = frozenset()
    providers: frozenset[str] = frozenset()
    canonical_users: frozenset[str] = frozenset()
    unique_ids: frozenset[str] = frozenset()
    gaps: tuple[str, ...] = ()
    """Names of which a part is not known."""

    def grant(self, who: Requester, values: Mapping[str, Any]) -> Grant:
        """How closely the element names the requester."""
        if self.everyone or who.account is None:
            return Grant.DIRECT if self.everyone else self._grant_outsider(who, values)
        if who.name in self.arns and who.name != who.issuer:
            return Grant.DIRECT
        if who.issuer and (who.issuer in self.arns or (not who.issuer_has_path and who.issuer in self.roles)):
            return Grant.ENTITY
        if self.unique_ids and self._names_unique_id(values):
            return Grant.DIRECT if who.kind is Kind.USER else Grant.ENTITY
        if root_of(who.name, who.account) in self.accounts or who.canonical_user in self.canonical_users:
            return Grant.DIRECT if who.kind is Kind.ROOT else Grant.ACCOUNT
        return Grant.NONE

    def exempts(self, who: Requester, values: Mapping[str, Any]) -> bool:
        """Whether a ``NotPrincipal`` with this content spares the requester.

        The most specific level listed decides: an account's ARN beside one of its users, or a role's beside one of its
        sessions, is there because AWS asks for it and spares nobody else.
        Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
        """
        grant = self.grant(who, values)
        if grant is Grant.ENTITY and who.issuer and who.name != who.issuer:
            session = f":{who.account}:assumed-role/{name_in(who.issuer)}/"
            return not any(session in arn for arn in self.arns)
        if grant is Grant.ACCOUNT:
            return not any(f":{who.account}:" in arn for arn in self.arns)
        return grant is not Grant.NONE

    def may_mean(self, who: Requester) -> str | None:
        """A name with a gap that may turn out to mean the requester."""
        names = [who.name, who.issuer or who.name]
        if who.account:
            names += [who.account, root_of(who.name, who.account)]
        for gap in self.gaps:
            fits = matcher(gap.replace(GAP, RUN))
            if any(fits(name) for name in names):
                return gap
        return None

    def _grant_outsider(self, who: Requester, values: Mapping[str, Any]) -> Grant:
        if who.kind is Kind.SERVICE:
            names = values.get("aws:principalservicenameslist")
            known = names if isinstance(names, tuple) else ()
            found = who.name in self.services or "*" in self.services or any(name in self.services for name in known)
        else:
            found = who.kind is Kind.PROVIDER and (who.name in self.providers or "*" in self.providers)
        return Grant.DIRECT if found else Grant.NONE

    def _names_unique_id(self, values: Mapping[str, Any]) -> bool:
        ids = values.get("aws:userid")
        return isinstance(ids, tuple) and any(each.partition(":")[0] in self.unique_ids for each in ids)


def is_account(value: Any) -> bool:
    """Whether it is an account id: twelve digits as text."""
    return isinstance(value, str) and _ACCOUNT.fullmatch(value) is not None


def name_in(arn: str) -> str:
    """The name at the end of a user's or role's ARN, without path."""
    return arn[arn.rindex("<") :] if arn.endswith(">") and "<" in arn else arn.rpartition("/")[2]


def root_of(arn: str, account: str) -> str:
    """ARN of the account's root, in the partition of another ARN."""
    return f"arn:{arn.split(':', 2)[1]}:iam::{account}:root"


_TYPES: Final = frozenset({"AWS", "Service", "Federated", "CanonicalUser"})


def parse_element(element: Any, place: str, problems: list[str]) -> PrincipalElement:
    """Read a ``Principal`` or ``NotPrincipal``; what is wrong goes to ``problems``."""
    if element == "*":
        return PrincipalElement(everyone=True)
    if not isinstance(element, Mapping) or not element:
        problems.append(
            f'{place}: must be "*" or an object with AWS, Service, Federated or CanonicalUser, not {element!r}'
        )
        return PrincipalElement()
    for type_ in element:
        if type_ not in _TYPES:
            problems.append(f"{place}.{type_}: unknown type; use AWS, Service, Federated or CanonicalUser")
    listed = {type_: _listed(element, type_, place, problems) for type_ in sorted(_TYPES)}
    gaps = sorted({name for names in listed.values() for name in names if GAP in name})
    values = {type_: names.difference(gaps) for type_, names in listed.items()}
    arns: set[str] = set()
    unique_ids: set[str] = set()
    for name in sorted(values["AWS"] - {"*"}):
        if _ACCOUNT.fullmatch(name):
            arns |= {f"arn:{partition}:iam::{name}:root" for partition in ("aws", "aws-cn", "aws-us-gov")}
        elif _UNIQUE_ID.fullmatch(name):
            unique_ids.add(name)
        elif problem := _arn_problem(name):
            problems.append(f"{place}.AWS: {name!r} {problem}")
        else:
            arns.add(name)
    for name in sorted(values["Service"]):
        if name != "*" and not _SERVICE.fullmatch(name):
            problems.append(f"{place}.Service: {name!r} is no service's name, such as cloudtrail.amazonaws.com")
    return PrincipalElement(
        everyone="*" in values["AWS"],
        arns=frozenset(arn for arn in arns if not arn.endswith(":root")),
        accounts=frozenset(arn for arn in arns if arn.endswith(":root")),
        roles=frozenset(_without_path(arn) for arn in arns if ":role/" in arn),
        services=values["Service"],
        providers=values["Federated"],
        canonical_users=values["CanonicalUser"],
        unique_ids=frozenset(unique_ids),
        gaps=tuple(gaps),
    )


def _listed(element: Mapping[str, Any], type_: str, place: str, problems: list[str]) -> frozenset[str]:
    given = element.get(type_, [])
    listed = [given] if isinstance(given, str) else given
    if not isinstance(listed, list) or not all(isinstance(item, str) and item for item in listed):
        problems.append(f"{place}.{type_}: must be text or a list of texts, not {given!r}")
        return frozenset()
    if type_ in element and not listed:
        problems.append(f"{place}.{type_}: is empty; name at least one principal")
    return frozenset(listed)


def _without_path(arn: str) -> str:
    before, _, rest = arn.partition(":role/")
    return f"{before}:role/{name_in(rest)}"


def _arn_problem(arn: str) -> str | None:
    parts = arn.split(":", ARN_FIELDS - 1)
    if len(parts) < ARN_FIELDS or parts[0] != "arn":
        return "is no account id, principal's ARN or '*'"
    if "*" in arn or "?" in arn:
        return "has a wildcard in a name; name principals whole, or use '*' with a condition on aws:PrincipalArn"
    if parts[2] not in ("iam", "sts") or not _ACCOUNT.fullmatch(parts[4]):
        return "is no principal's ARN (arn:aws:iam::<12 digits>:role/name)"
    type_, _, rest = parts[5].partition("/")
    known = ("user", "role") if parts[2] == "iam" else ("assumed-role", "federated-user")
    if parts[2:6:3] != ["iam", "root"] and (type_ not in known or not rest):
        return "is no user, role, role session, federated user or account root"
    return None
