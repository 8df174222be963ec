"""A second evaluator, slow and simple on purpose, written from the documentation's flow charts and tables.

It shares no code with ``proofs.policy`` and takes the same JSON entries, well formed and without unknown values. Where the
two disagree, one of them has misread the documentation.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
"""

from __future__ import annotations

# ruff: noqa: PLR0911, PLR0912 - one flow chart, one function
import base64
import datetime
import fractions
import ipaddress
import re
from collections.abc import Sequence
from typing import Any

Entry = dict[str, Any]


def decide(entry: Entry) -> str:
    request = dict(entry["request"])
    who = describe(request["principal"])
    account = who["account"]
    owner = request.get("resource_account")
    if owner is None:
        field = request["resource"].split(":")[4] if request["resource"].count(":") >= 5 else ""
        owner = field if re.fullmatch("[0-9]{12}", field) else account
    manager = entry.get("management_account")
    keys = keys_of(who, request, owner)
    boundaries = entry.get("permission_boundaries") or []
    situation = {
        "who": who,
        "keys": keys,
        "action": request["action"],
        "resource": request["resource"],
        "bounded": bool(boundaries) and who["type"] in ("user", "role", "session", "federated-user"),
    }

    scps = entry.get("service_control_policies") or []
    if account is None or who["linked"] or (manager is not None and account == manager):
        scps = []
    rcps = entry.get("resource_control_policies") or []
    if who["linked"] or (manager is not None and owner == manager) or request["action"].lower() == "kms:retiregrant":
        rcps = []
    resource_policy = entry.get("resource_policy")
    mine = account is not None
    identity = (entry.get("identity_policies") or []) if mine else []
    boundaries = boundaries if mine else []
    session = entry.get("session_policy") if mine else None
    endpoints = entry.get("endpoint_policies") or []

    # 1. An explicit deny anywhere ends it.
    everything = [policy for level in scps + rcps for policy in level] + identity + boundaries + endpoints
    everything += [policy for policy in (resource_policy, session) if policy is not None]
    for policy in everything:
        for statement in statements(policy):
            if statement["Effect"] == "Deny" and applies(statement, policy, situation) and names(statement, situation):
                return "ExplicitlyDenied"

    # 2. Every level of RCPs and SCPs, and the endpoint, must let it through.
    for level in rcps:
        has_allow = any(s["Effect"] == "Allow" for policy in level for s in statements(policy))
        if has_allow and not any(allows(policy, situation) for policy in level):
            return "ImplicitlyDenied"
    for level in scps:
        if not any(allows(policy, situation) for policy in level):
            return "ImplicitlyDenied"
    for policy in endpoints:
        if not allows(policy, situation):
            return "ImplicitlyDenied"

    # 3. What does the resource's own policy say of this principal?
    said = "nothing"
    for statement in statements(resource_policy) if resource_policy is not None else []:
        if statement["Effect"] == "Allow" and applies(statement, resource_policy, situation):
            said = closest(said, names(statement, situation))
    for grant in entry.get("grants") or []:
        if grant_covers(grant, situation):
            said = closest(said, listed({"AWS": grant["GranteePrincipal"]}, who, keys))

    by_identity = any(allows(policy, situation) for policy in identity)
    by_boundary = all(allows(policy, situation) for policy in boundaries)
    by_session = session is None or allows(session, situation)
    if who["type"] == "federated-user" and session is None:
        by_session = False
    if who["type"] == "root":
        by_identity = by_boundary = True

    if not mine:
        return "Allowed" if said == "itself" else "ImplicitlyDenied"
    if account != owner:
        good = said != "nothing" and by_identity and by_boundary and by_session
        return "Allowed" if good else "ImplicitlyDenied"
    trust = request["action"].lower() in (
        "sts:assumerole", "sts:assumerolewithsaml", "sts:assumerolewithwebidentity",
        "sts:tagsession", "sts:setsourceidentity", "sts:setcontext",
    ) and ":role/" in request["resource"]  # fmt: skip
    key = request["action"].lower().startswith("kms:") and ":key/" in request["resource"]
    if said == "itself":
        good = True
    elif said == "entity":
        good = by_boundary and by_session
    elif said == "account" or not (trust or key):
        good = by_identity and by_boundary and by_session
    else:
        good = False
    return "Allowed" if good else "ImplicitlyDenied"


def describe(principal: Any) -> dict[str, Any]:
    """Type, account and names of the requester."""
    found: dict[str, Any] = {"type": "", "arn": "", "account": None, "issuer": None, "linked": False, "name": ""}
    if isinstance(principal, dict):
        ((kind, principal),) = principal.items()
        if kind == "Federated":
            return {**found, "type": "provider", "name": principal}
        if kind == "Service":
            return {**found, "type": "service", "name": principal}
    if principal == "*":
        return {**found, "type": "anonymous"}
    if re.fullmatch("[0-9]{12}", principal):
        principal = "arn:aws:iam::" + principal + ":root"
    if not principal.startswith("arn:"):
        return {**found, "type": "service", "name": principal}
    _, partition, service, _, account, rest = principal.split(":", 5)
    found.update(arn=principal, account=account, partition=partition)
    if rest == "root":
        found["type"] = "root"
    elif rest.startswith("user/"):
        found["type"] = "user"
    elif service == "iam":
        found.update(type="role", issuer=principal, role=rest.split("/")[-1])
    elif rest.startswith("assumed-role/"):
        role = rest.split("/")[1]
        found.update(type="session", role=role, issuer=f"arn:{partition}:iam::{account}:role/{role}")
    else:
        found["type"] = "federated-user"
    if found["type"] in ("role", "session"):
        found["linked"] = "/aws-service-role/" in found["issuer"] or found["role"].startswith("AWSServiceRoleFor")
    return found


def keys_of(who: dict[str, Any], request: Entry, owner: str | None) -> dict[str, list[str]]:
    keys: dict[str, list[str]] = {}
    keys["aws:principalisawsservice"] = ["true" if who["type"] == "service" else "false"]
    if who["type"] == "service":
        keys["aws:principalservicename"] = [who["name"]]
        keys["aws:principalservicenameslist"] = [who["name"]]
    types = {"root": "Account", "user": "User", "role": "AssumedRole", "session": "AssumedRole"}
    types |= {"federated-user": "FederatedUser", "anonymous": "Anonymous"}
    if who["type"] in types:
        keys["aws:principaltype"] = [types[who["type"]]]
    if who["account"]:
        keys["aws:principalaccount"] = [who["account"]]
        keys["aws:principalarn"] = [who["issuer"] or who["arn"]]
    if who["type"] == "user":
        keys["aws:username"] = [who["arn"].split("/")[-1]]
    if who["type"] == "root":
        keys["aws:userid"] = [who["account"]]
    keys["aws:viaawsservice"] = ["false"]
    if owner:
        keys["aws:resourceaccount"] = [owner]
    for name, value in (request.get("context") or {}).items():
        values = value if isinstance(value, list) else [value]
        keys[name.lower()] = [str(v).lower() if isinstance(v, bool) else str(v) for v in values]
        if value is None:
            del keys[name.lower()]
    return keys


def statements(policy: Any) -> list[dict[str, Any]]:
    found = policy["Statement"]
    return found if isinstance(found, list) else [found]


def several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def allows(policy: Any, situation: dict[str, Any]) -> bool:
    return any(
        statement["Effect"] == "Allow" and applies(statement, policy, situation) and names(statement, situation) != ""
        for statement in statements(policy)
    )


def applies(statement: dict[str, Any], policy: Any, situation: dict[str, Any]) -> bool:
    """Action, resource and condition; the principal is a question of its own."""
    keys = situation["keys"]
    variables = policy.get("Version") == "2012-10-17"
    action = situation["action"].lower()
    if "Action" in statement and not any(like(characters(p.lower()), action) for p in several(statement["Action"])):
        return False
    if "NotAction" in statement and any(like(characters(p.lower()), action) for p in several(statement["NotAction"])):
        return False
    resource = situation["resource"]

    def fits(pattern: str) -> bool:
        filled = fill(pattern, keys) if variables else characters(pattern)
        return filled is not None and like(filled, resource)

    if "Resource" in statement and not any(fits(pattern) for pattern in several(statement["Resource"])):
        return False
    if "NotResource" in statement and any(fits(pattern) for pattern in several(statement["NotResource"])):
        return False
    for operator, block in (statement.get("Condition") or {}).items():
        for key, wanted in block.items():
            if not condition(operator, [text(w) for w in several(wanted)], keys.get(key.lower()), keys, variables):
                return False
    return True


def text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def names(statement: dict[str, Any], situation: dict[str, Any]) -> str:
    """Whether the statement is about the requester: "", "account", "entity" or "itself"."""
    who, keys = situation["who"], situation["keys"]
    if "Principal" in statement:
        return listed(statement["Principal"], who, keys)
    if "NotPrincipal" not in statement:
        return "itself"
    if statement["Effect"] == "Deny" and situation["bounded"]:
        return "itself"
    how = listed(statement["NotPrincipal"], who, keys)
    arns = several(statement["NotPrincipal"].get("AWS", [])) if isinstance(statement["NotPrincipal"], dict) else []
    if how == "entity" and any(f":{who['account']}:assumed-role/{who['role']}/" in arn for arn in arns):
        how = "" if who["type"] == "session" else how
    if how == "account" and any(f":{who['account']}:" in arn and not arn.endswith(":root") for arn in arns):
        how = ""
    return "" if how else "itself"


def listed(element: Any, who: dict[str, Any], keys: dict[str, list[str]]) -> str:
    if element == "*" or "*" in several(element.get("AWS", [])):
        return "itself"
    if who["type"] == "service":
        services = several(element.get("Service", []))
        known = [who["name"], *keys.get("aws:principalservicenameslist", [])]
        return "itself" if "*" in services or any(name in services for name in known) else ""
    if who["type"] == "provider":
        return "itself" if who["name"] in several(element.get("Federated", [])) else ""
    if who["type"] == "anonymous":
        return ""
    how = ""
    for given in several(element.get("AWS", [])):
        name = f"arn:{who['partition']}:iam::{given}:root" if re.fullmatch("[0-9]{12}", given) else given
        if name == who["arn"]:
            how = closest(how, "entity" if who["type"] == "role" else "itself")
        elif who["type"] == "session" and re.sub(":role/.*/", ":role/", name) == who["issuer"]:
            how = closest(how, "entity")
        elif name == f"arn:{who['partition']}:iam::{who['account']}:root":
            how = closest(how, "account")
    return how


def closest(one: str, other: str) -> str:
    order = ["", "nothing", "account", "entity", "itself"]
    return max(one, other, key=order.index)


def grant_covers(grant: dict[str, Any], situation: dict[str, Any]) -> bool:
    if situation["action"].lower() not in ["kms:" + operation.lower() for operation in grant["Operations"]]:
        return False
    given = {k.split(":", 2)[2]: v for k, v in situation["keys"].items() if k.startswith("kms:encryptioncontext:")}
    constraints = grant.get("Constraints") or {}
    subset = {k.lower(): [v] for k, v in constraints.get("EncryptionContextSubset", {}).items()}
    if any(given.get(key) != value for key, value in subset.items()):
        return False
    equal = constraints.get("EncryptionContextEquals")
    return equal is None or given == {k.lower(): [v] for k, v in equal.items()}


# Patterns are lists of characters, of which the wildcards are the numbers 0 (any run) and 1 (any one).


def characters(pattern: str) -> list[str | int]:
    return [{"*": 0, "?": 1}.get(c, c) for c in pattern]


def like(pattern: Sequence[str | int], subject: str) -> bool:
    reachable = {0}
    for token in pattern:
        if token == 0:
            reachable = set(range(min(reachable), len(subject) + 1)) if reachable else set()
        else:
            reachable = {i + 1 for i in reachable if i < len(subject) and token in (1, subject[i])}
    return len(subject) in reachable


def fill(value: str, keys: dict[str, list[str]], wild: bool = True) -> list[str | int] | None:
    """Put variables in; ``None`` if one has no value."""
    filled: list[str | int] = []
    position = 0
    while position < len(value):
        if value.startswith("${", position):
            end = value.index("}", position)
            inside = value[position + 2 : end].strip()
            position = end + 1
            if inside in ("*", "?", "$"):
                filled.append(inside)
                continue
            name, comma, default = inside.partition(",")
            found = keys.get(name.strip().lower())
            if found is not None and len(found) == 1:
                filled += list(found[0])
            elif not found and comma:
                filled += list(default.strip().strip("'"))
            else:
                return None
        else:
            filled += characters(value[position]) if wild else [value[position]]
            position += 1
    return filled


def condition(
    operator: str, wanted: list[str], given: list[str] | None, keys: dict[str, list[str]], variables: bool
) -> bool:
    qualifier, _, name = operator.rpartition(":")
    if_exists = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    if name == "Null":
        return any((w.lower() == "true") == (not given) for w in wanted)
    negative = "Not" in name
    if not given:
        if if_exists or qualifier == "ForAllValues":
            return True
        return negative and qualifier != "ForAnyValue"
    if qualifier and given == [""]:
        return qualifier == "ForAllValues"

    def one(value: str) -> bool:
        return any(compare(name.replace("Not", ""), w, value, keys, variables) for w in wanted)

    if qualifier == "ForAllValues":
        return all(one(value) != negative for value in given)
    if qualifier == "ForAnyValue":
        return any(one(value) != negative for value in given)
    return any(one(value) for value in given) != negative


def compare(name: str, wanted: str, value: str, keys: dict[str, list[str]], variables: bool) -> bool:
    if name.startswith("String") or name == "Bool":
        wild = name == "StringLike"
        filled: list[str | int] | None
        filled = fill(wanted, keys, wild) if variables else characters(wanted) if wild else [*wanted]
        if filled is None:
            return False
        if name in ("StringEqualsIgnoreCase", "Bool"):
            return like([c if isinstance(c, int) else c.lower() for c in filled], value.lower())
        return like(filled, value)
    if name.startswith("Arn"):
        pattern = fill(wanted, keys) if variables else characters(wanted)
        return pattern is not None and like_arn(pattern, value)
    try:
        if name == "IpAddress":
            network = ipaddress.ip_network(wanted, strict=False)
            address = ipaddress.ip_address(value)
            return address.version == network.version and address in network
        if name == "BinaryEquals":
            return base64.b64decode(wanted, validate=True) == base64.b64decode(value, validate=True)
        read = fractions.Fraction if name.startswith("Numeric") else seconds
        difference = read(value) - read(wanted)
    except ValueError:
        return False
    comparison = re.sub("^(Numeric|Date)", "", name)
    return {
        "Equals": difference == 0,
        "LessThan": difference < 0,
        "LessThanEquals": difference <= 0,
        "GreaterThan": difference > 0,
        "GreaterThanEquals": difference >= 0,
    }[comparison]


def like_arn(pattern: list[str | int], arn: str) -> bool:
    if pattern == [0]:
        return arn.startswith("arn:") and arn.count(":") >= 5
    fields: list[list[str | int]] = [[]]
    for token in pattern:
        if token == ":" and len(fields) < 6:
            fields.append([])
        else:
            fields[-1].append(token)
    parts = arn.split(":", 5)
    return len(fields) == 6 == len(parts) and all(like(f, p) for f, p in zip(fields, parts, strict=True))


def seconds(value: str) -> fractions.Fraction:
    if re.fullmatch("-?[0-9]+([.][0-9]+)?", value) and not re.fullmatch("[0-9]{4}", value):
        return fractions.Fraction(value)
    if len(value) < 4:
        raise ValueError(value)
    full = value + "2000-01-01"[len(value) :] if len(value) < 10 else value
    moment = datetime.datetime.fromisoformat(full)
    moment = moment.replace(tzinfo=datetime.UTC) if moment.tzinfo is None else moment
    return fractions.Fraction((moment - datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)).total_seconds())
