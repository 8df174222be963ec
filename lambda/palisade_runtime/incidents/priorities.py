"""How grave a finding is: one table, read from above; the first line that fits decides.

P0 calls the whole team and management at once. P1 and P2 call whoever is on call, then the next. P3 is work, not an alarm: the
one on call gets it by mail and nobody is woken.
"""

from dataclasses import dataclass
from enum import IntEnum

from palisade_runtime.incidents.finding import Finding


class Priority(IntEnum):
    """From the gravest down."""

    P0 = 0
    P1 = 1
    P2 = 2
    P3 = 3


@dataclass(frozen=True)
class Rule:
    """Findings of ``kind`` from ``severity`` on; ``breach`` if customers' data may have been in wrong hands."""

    kind: str
    severity: float
    priority: Priority
    breach: bool
    why: str


RULES = (
    Rule("guardduty", 7, Priority.P0, True, "somebody is attacking, and probably got somewhere"),
    Rule("guardduty", 4, Priority.P1, True, "somebody may be attacking"),
    Rule("guardduty", 0, Priority.P3, False, "somebody knocks"),
    Rule("root", 0, Priority.P0, True, "nobody uses the root user without having said so"),
    Rule("break-glass", 0, Priority.P1, True, "an emergency, or somebody pretends there is one"),
    Rule("access-analyzer", 9, Priority.P0, True, "a resource is open to anybody"),
    Rule("access-analyzer", 0, Priority.P1, True, "a resource is open to somebody outside"),
    Rule("macie", 7, Priority.P1, True, "sensitive data lies where it must not, or a bucket is open"),
    Rule("macie", 0, Priority.P2, False, "data may lie where it must not"),
    Rule("objective", 10, Priority.P1, False, "customers meet errors, and the month's budget is gone within days"),
    Rule("objective", 0, Priority.P2, False, "customers meet more errors than was promised"),
    Rule("canary", 0, Priority.P1, False, "the service does not answer"),
    Rule("security-hub", 9, Priority.P1, False, "a critical control fails"),
    Rule("security-hub", 7, Priority.P2, False, "an important control fails"),
    Rule("security-hub", 0, Priority.P3, False, "a control fails"),
    Rule("inspector", 9, Priority.P2, False, "a critical vulnerability is known"),
    Rule("inspector", 0, Priority.P3, False, "a vulnerability is known"),
    Rule("config", 0, Priority.P3, False, "a resource is not as it should be"),
    Rule("unused-access", 0, Priority.P3, False, "access is there that nobody uses"),
    Rule("alarm", 0, Priority.P2, False, "something fails that customers may not notice yet"),
    Rule("report", 9, Priority.P0, True, "a person says that it is a security incident"),
    Rule("report", 7, Priority.P1, True, "a person says that it is grave"),
    Rule("report", 4, Priority.P2, False, "a person says that it needs somebody soon"),
    Rule("report", 0, Priority.P3, False, "a person says that it needs somebody"),
)

OPERATIONAL = frozenset({"objective", "canary", "alarm"})
"""What says that a service fares badly, and nothing about an intruder."""


def score(finding: Finding, *, quiet: frozenset[str] = frozenset()) -> Rule:
    """The rule that decides. In ``quiet`` accounts, which serve no customers, operational trouble is work (P3)."""
    rule = next(rule for rule in RULES if rule.kind == finding.kind and finding.severity >= rule.severity)
    if finding.account in quiet and finding.kind in OPERATIONAL:
        return Rule(rule.kind, rule.severity, Priority.P3, False, f"{rule.why}; no customer is served there")
    return rule
