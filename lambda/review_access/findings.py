"""From the facts of every account to rights, and to findings that somebody must decide.

A right is named by what it is, so that a later collection shows whether it is still there:
``assignment/<account>/<permission set>/<GROUP or USER>/<name>``, ``member/<group>/<person>``, ``user/<account>/<name>``,
``key/<account>/<user>/<made>``, ``role/<account>/<name>``, ``set/<name>``, ``root/<account>``.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from review_access.periods import ADMIN, LOOKS_BACK_DAYS, kind_of

ADMIN_POWERS = frozenset({"everything", "identities", "organization", "keys", "evidence", "deployment", "database"})
FOUNDER = "OrganizationAccountAccessRole"
_PEOPLE = "/aws-reserved/sso.amazonaws.com/"
_BOOTSTRAP = "cdk-"
"""Begins the roles of the bootstrap, which guardrails let only the founding role make."""

Facts = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What a deployment takes for normal. ``standing`` has assignments as ``<group>:<permission set>:<owner>``,
    the group by its name, or by its id if it was in the directory before."""

    prefix: str
    standing: frozenset[str]
    emergency: frozenset[str]
    directory_account: str
    unused_days: int
    key_days: int


@dataclass(frozen=True, kw_only=True)
class Grant:
    """A right for a while, as the workflow of access requests recorded it."""

    id: str
    account: str
    level: str
    user: str
    person: str
    start: datetime
    end: datetime
    closed: bool

    def live(self, now: datetime) -> bool:
        """Whether it holds at this moment."""
        return not self.closed and self.start <= now < self.end


class Collected:
    """Everything that one collection found: ``facts`` by account, ``missing`` accounts with why."""

    def __init__(
        self,
        *,
        rules: Rules,
        facts: Mapping[str, Facts],
        missing: Mapping[str, str],
        grants: Sequence[Grant],
        now: datetime,
    ) -> None:
        self.rules, self.facts, self.missing, self.grants, self.now = rules, facts, missing, grants, now
        directory = facts.get(rules.directory_account, {}).get("directory") or {}
        self._directory = directory
        self._people = {user["id"]: user for user in directory.get("users", ())}
        self._groups = {group["id"]: group for group in directory.get("groups", ())}
        self._sessions = {
            (account, _set_of(one["role"]), one["person"]): one["times"]
            for account, each in facts.items()
            for one in each["sessions"]
        }
        self._powers: dict[tuple[str, str], list[str]] = {}
        self._services: dict[tuple[str, str], Facts] = {}
        for account, each in facts.items():
            for role in each["roles"]:
                if role["path"].startswith(_PEOPLE):
                    self._powers[account, _set_of(role["name"])] = role["powers"]
                    self._services[account, _set_of(role["name"])] = role["services"]
        self.rights = {one["right"]: one for one in self._rights()}

    # ---------------------------------------------------------------------------------------------------------- rights

    def seen(self, right: str) -> bool:
        """Whether this collection could have seen the right: whose account answered, and the directory where it says so."""
        kind, _, rest = right.partition("/")
        account = rest.split("/")[0] if kind in {"user", "password", "key", "role", "root", "unseen"} else ""
        return (account or self.rules.directory_account) in self.facts

    def there(self, right: str) -> bool:
        """Whether the right is there; an account that did not answer before is "there" until it answers."""
        kind, _, account = right.partition("/")
        return account not in self.facts if kind == "unseen" else right in self.rights

    def _rights(self) -> Iterator[dict[str, Any]]:
        for account, each in sorted(self.facts.items()):
            yield from self._of_account(account, each)
        for one in self._directory.get("assignments", ()):
            if one["account"] in self.facts or one["account"] in self.missing:
                yield self._assignment(one)
        used = {name for (_, name, _), times in self._sessions.items() if times}
        for name in self._directory.get("sets", ()):
            yield _right(f"set/{name}", "", name, "permission set", used="" if name in used else None)
        for group in self._groups.values():
            for member in group["members"]:
                person = self._name(member)
                yield _right(
                    f"member/{group['name']}/{person}", "", person, f"member of {group['name']}", people=[person],
                    used=self._last(person=person),
                )  # fmt: skip

    def _of_account(self, account: str, each: Facts) -> Iterator[dict[str, Any]]:
        root = each["root"]
        if root["password"] or root["keys"]:
            yield _right(
                f"root/{account}", account, "root user", "everything", used=root["used"], powers=["everything"]
            )
        for user in each["users"]:
            name = user["name"]
            used = max((at for at in (user["password_used"], *(k["used"] for k in user["keys"])) if at), default=None)
            why = "emergency" if user["arn"] in self.rules.emergency else "unexplained"
            yield _right(
                f"user/{account}/{name}",
                account,
                name,
                "IAM user",
                powers=user["powers"],
                used=used,
                people=[name.casefold()],
                why=why,
            )
            if user["password"]:
                yield _right(
                    f"password/{account}/{name}", account, name, "password", powers=user["powers"],
                    used=user["password_used"], people=[name.casefold()], why=why,
                )  # fmt: skip
            for key in user["keys"]:
                yield _right(
                    f"key/{account}/{name}/{key['created']}", account, name, f"access key of {key['created']}",
                    powers=user["powers"], used=key["used"], people=[name.casefold()], why=why,
                )  # fmt: skip
        for role in each["roles"]:
            if not role["path"].startswith(_PEOPLE):
                why = "template" if role["template"] else "bootstrap" if _known(role["name"]) else "unexplained"
                yield _right(
                    f"role/{account}/{role['name']}", account, role["name"], "role", powers=role["powers"],
                    used=role["used"], why=why, services=role["services"],
                )  # fmt: skip

    def _assignment(self, one: Facts) -> dict[str, Any]:
        account, name, kind = one["account"], one["set"], one["type"]
        if kind == "GROUP":
            group = self._groups.get(one["principal"], {"name": one["principal"], "members": []})
            holder, people = group["name"], [self._name(member) for member in group["members"]]
            owner = self.facts.get(account, {}).get("owner", "")
            known = {f"{known_as}:{name}:{owner}" for known_as in (group["name"], one["principal"])}
            why = "standing" if known & self.rules.standing else "unexplained"
            # Of an account that did not answer nobody knows the owner, and it is a finding of its own.
            why = "standing" if account in self.missing else why
        else:
            holder = self._name(one["principal"])
            people = [holder]
            grant = next((each for each in self.grants if self._explains(each, one)), None)
            why = f"grant {grant.id}" if grant else "unexplained"
        return _right(
            f"assignment/{account}/{name}/{kind}/{holder}", account, holder, name, powers=self._powers.get((account, name)),
            used=max((at for person in people if (at := self._last(account, name, person))), default=None), people=people,
            why=why, services=self._services.get((account, name)),
            uses={person: self._last(account, name, person) for person in people},
        )  # fmt: skip

    def _explains(self, grant: Grant, one: Facts) -> bool:
        return (
            grant.live(self.now)
            and grant.user == one["principal"]
            and grant.account == one["account"]
            and f"{self.rules.prefix}-{grant.level}" == one["set"]
        )

    def _last(self, account: str | None = None, name: str | None = None, person: str | None = None) -> str | None:
        wanted = (account, name, person)
        found = [
            times[-1]
            for key, times in self._sessions.items()
            if times and all(want in (None, have) for want, have in zip(wanted, key, strict=True))
        ]
        return max(found, default=None)

    def _name(self, user: str) -> str:
        return str(self._people.get(user, {"name": user})["name"])

    # ---------------------------------------------------------------------------------------------------------- grants

    def granted(self, period: str) -> list[dict[str, Any]]:
        """The grants that are live, and those of the time before that nobody used."""
        since = self.now - timedelta(days=LOOKS_BACK_DAYS[kind_of(period)])
        found = []
        for grant in sorted(self.grants, key=lambda one: one.id):
            live, used = grant.live(self.now), self._used(grant)
            if live or (not used and grant.end >= since):
                found.append(
                    {
                        "grant": grant.id, "person": grant.person, "account": grant.account, "level": grant.level,
                        "until": grant.end.isoformat(timespec="seconds"), "live": live, "used": used,
                    }
                )  # fmt: skip
        return found

    def _used(self, grant: Grant) -> bool:
        times = self._sessions.get((grant.account, f"{self.rules.prefix}-{grant.level}", grant.person), ())
        return any(grant.start <= _moment(at) <= grant.end for at in times)

    # -------------------------------------------------------------------------------------------------------- findings

    def findings(self, period: str) -> list[dict[str, Any]]:
        """What somebody must decide, each once; a review of administrators has what touches their rights alone."""
        found = {one["id"]: one for one in self._findings()}
        if kind_of(period) == ADMIN:
            found = {name: one for name, one in found.items() if one["admin"]}
        return sorted(found.values(), key=lambda one: (one["rule"], one["right"]))

    def _findings(self) -> Iterator[dict[str, Any]]:
        for account, error in sorted(self.missing.items()):
            right = _right(f"unseen/{account}", account, account, "the whole account")
            yield _finding(
                "account-not-seen", right, f"could not be read ({error}): its rights are not in this review", True
            )
        for right in self.rights.values():
            kind = right["right"].partition("/")[0]
            admin = bool(ADMIN_POWERS.intersection(right["powers"]))
            if kind == "root":
                yield from self._root(right)
            elif kind in {"user", "password", "key"}:
                yield from self._user(kind, right)
            elif kind == "role":
                yield from self._role(right, admin)
            elif kind == "assignment" and right["why"] == "unexplained":
                yield _finding(
                    "assignment-unexplained", right, "neither stands in the templates nor has a live grant", True
                )
            elif kind == "assignment" and self._idle(right["used"]) and right["why"] == "standing" and right["people"]:
                yield _finding("assignment-unused", right, f"nobody used it for {self.rules.unused_days} days", admin)
            elif kind == "set" and right["used"] is None and not self._granted_lately(right["who"]):
                yield _finding(
                    "permission-set-unused", right, f"nobody used it for {self.rules.unused_days} days", False
                )
        yield from self._stale_people()

    def _root(self, right: dict[str, Any]) -> Iterator[dict[str, Any]]:
        root = self.facts[right["account"]]["root"]
        if root["keys"]:
            yield _finding("root-key", right, "the root user has access keys", True)
        if root["password"] and not root["mfa"]:
            yield _finding("mfa-missing", right, "the root user signs in without a second factor", True)
        if root["used"] and not self._idle(root["used"], LOOKS_BACK_DAYS[ADMIN]):
            yield _finding("root-used", right, f"the root user signed in on {root['used'][:10]}", True)

    def _user(self, kind: str, right: dict[str, Any]) -> Iterator[dict[str, Any]]:
        # Users are made by hand, so each is a matter of administrators.
        facts = next(u for u in self.facts[right["account"]]["users"] if u["name"] == right["who"])
        days, emergency = self.rules.unused_days, right["why"] == "emergency"
        if kind == "user":
            if not emergency:
                yield _finding(
                    "user-unexplained",
                    right,
                    "people sign in through Identity Center",
                    True,
                )
            if not emergency and self._idle(right["used"]) and self._idle(facts["created"]):
                yield _finding("user-stale", right, f"was not used for {days} days", True)
        elif kind == "password" and not facts["mfa"]:
            yield _finding("mfa-missing", right, "signs in without a second factor", True)
        elif kind == "key":
            made = right["right"].rpartition("/")[2]
            if self._idle(made, self.rules.key_days):
                yield _finding("key-old", right, f"is older than {self.rules.key_days} days", True)
            if right["used"] is None and self._idle(made, 7):
                yield _finding("key-unused", right, "was never used", True)
            elif right["used"] and self._idle(right["used"]):
                yield _finding("key-unused", right, f"was not used for {days} days", True)

    def _role(self, right: dict[str, Any], admin: bool) -> Iterator[dict[str, Any]]:
        if right["who"] == FOUNDER:
            if right["used"] and not self._idle(right["used"], LOOKS_BACK_DAYS[ADMIN]):
                yield _finding("founding-role-used", right, f"was used on {right['used'][:10]}", True)
            return
        if right["why"] != "unexplained":
            return
        made = next(r for r in self.facts[right["account"]]["roles"] if r["name"] == right["who"])["created"]
        if admin:
            yield _finding(
                "admin-outside-grants", right, f"no template made it, and it has {', '.join(right['powers'])}", True
            )
        if self._idle(right["used"]) and self._idle(made):
            yield _finding("role-unused", right, f"was not used for {self.rules.unused_days} days", admin)

    def _stale_people(self) -> Iterator[dict[str, Any]]:
        assigned: dict[str, set[str]] = {}
        for right in self.rights.values():
            if right["right"].startswith("assignment/"):
                for person in right["people"]:
                    assigned.setdefault(person, set()).update(right["powers"])
        for user in self._people.values():
            if user["active"] and user["name"] in assigned and self._idle(self._last(person=user["name"])):
                for right in self.rights.values():
                    if right["right"].startswith("member/") and right["who"] == user["name"]:
                        says = f"did not sign in for {self.rules.unused_days} days"
                        yield _finding("person-stale", right, says, bool(ADMIN_POWERS & assigned[user["name"]]))

    def _granted_lately(self, name: str) -> bool:
        """Levels that are granted for a while stand unused most of the time, and are meant to."""
        standing = {one.split(":")[1] for one in self.rules.standing}
        return name.startswith(f"{self.rules.prefix}-") and name not in standing

    def _idle(self, at: str | None, days: int | None = None) -> bool:
        return at is None or self.now - _moment(at) > timedelta(days=days or self.rules.unused_days)


def _right(
    right: str, account: str, who: str, what: str, *, powers: Sequence[str] | None = None, used: str | None = None,
    people: Sequence[str] = (), why: str = "", services: Facts | None = None, uses: Mapping[str, str | None] | None = None,
) -> dict[str, Any]:  # fmt: skip
    return {
        "right": right, "account": account, "who": who, "what": what, "powers": list(powers or ()), "used": used,
        "people": sorted(set(people)), "why": why, "services": dict(services or {}),
        "uses": dict(uses or dict.fromkeys(people, used)),
    }  # fmt: skip


def _finding(rule: str, right: Mapping[str, Any], says: str, admin: bool) -> dict[str, Any]:
    return {
        "id": hashlib.sha256(f"{rule} {right['right']}".encode()).hexdigest()[:10],
        "rule": rule,
        "right": right["right"],
        "account": right["account"],
        "who": right["who"],
        "what": right["what"],
        "people": right["people"],
        "says": says,
        "admin": admin,
    }


def _known(role: str) -> bool:
    return role.startswith(_BOOTSTRAP) or role == FOUNDER


def _set_of(role: str) -> str:
    """``AWSReservedSSO_<permission set>_<16 letters and digits>`` to the permission set's name."""
    return role.removeprefix("AWSReservedSSO_").rpartition("_")[0] if role.startswith("AWSReservedSSO_") else role


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
