"""What the backup plans of an assembly promise: which store each covers, how old its newest copy can be, where it is.

Source: https://docs.aws.amazon.com/aws-backup/latest/devguide/assigning-resources.html
"""

from __future__ import annotations

import calendar
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from assembly.model import Assembly, Resource, Stack

STORES: Mapping[str, tuple[str, str, str]] = {
    "AWS::RDS::DBCluster": ("rds", "cluster:", "DBClusterIdentifier"),
    "AWS::RDS::DBInstance": ("rds", "db:", "DBInstanceIdentifier"),
    "AWS::DynamoDB::Table": ("dynamodb", "table/", "TableName"),
    "AWS::DynamoDB::GlobalTable": ("dynamodb", "table/", "TableName"),
    "AWS::S3::Bucket": ("s3", "", "BucketName"),
    "AWS::EFS::FileSystem": ("elasticfilesystem", "file-system/", "FileSystemId"),
}
"""Types that hold data, with the service, the beginning and the property that make their ARN."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule of a plan. ``copies`` are vault ARNs with the days that each copy is kept."""

    name: str
    schedule: str
    start: timedelta
    completion: timedelta
    days: int
    continuous: bool
    copies: Mapping[str, int]

    @property
    def worst_age(self) -> timedelta:
        """How old the newest finished backup can get: the longest wait for the next one, and for it to be finished."""
        return longest_gap(self.schedule) + self.start + self.completion


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What one selection of a plan matches, and the plan's rules."""

    stack: Stack
    path: str
    resources: Sequence[str]
    tags: Mapping[str, str]
    rules: Sequence[Rule]

    def covers(self, stack: Stack, store: Resource) -> bool:
        """Whether ``store`` of ``stack`` is backed up by this selection."""
        if (stack.account, stack.region) != (self.stack.account, self.stack.region):
            return False
        tags = tags_of(store)
        return any(fnmatchcase(arn_of(stack, store), pattern) for pattern in self.resources) and all(
            tags.get(key) == value for key, value in self.tags.items()
        )


def arn_of(stack: Stack, store: Resource) -> str:
    """The store's ARN; a name that AWS will invent is shown as ``?``."""
    service, beginning, name = STORES[store.type]
    named = store.properties.get(name)
    place = ":" if service == "s3" else f"{stack.region}:{stack.account}"
    return f"arn:aws:{service}:{place}:{beginning}{named if isinstance(named, str) else '?'}"


def tags_of(store: Resource) -> dict[str, str]:
    """The store's tags as written in the template."""
    return {tag["Key"]: tag["Value"] for tag in store.properties.get("Tags", []) if isinstance(tag["Value"], str)}


def selections(assembly: Assembly) -> Iterator[Selection]:
    """Every selection of every backup plan."""
    for stack, selection in assembly.resources("AWS::Backup::BackupSelection"):
        body = selection.properties["BackupSelection"]
        plan = stack.resources[selection.properties["BackupPlanId"]["Ref"]]
        yield Selection(
            stack=stack,
            path=selection.path,
            resources=body.get("Resources", []),
            tags={
                condition["ConditionKey"].removeprefix("aws:ResourceTag/"): condition["ConditionValue"]
                for condition in body.get("Conditions", {}).get("StringEquals", [])
            },
            rules=[_rule(rule) for rule in plan.properties["BackupPlan"]["BackupPlanRule"]],
        )


def _rule(rule: Mapping[str, Any]) -> Rule:
    return Rule(
        name=rule["RuleName"],
        schedule=rule["ScheduleExpression"],
        # AWS Backup's own defaults are eight hours to start and seven days to finish.
        start=timedelta(minutes=rule.get("StartWindowMinutes", 480)),
        completion=timedelta(minutes=rule.get("CompletionWindowMinutes", 10080)),
        days=rule["Lifecycle"]["DeleteAfterDays"],
        continuous=rule.get("EnableContinuousBackup", False),
        copies={
            copy["DestinationBackupVaultArn"]: copy["Lifecycle"]["DeleteAfterDays"]
            for copy in rule.get("CopyActions", [])
        },
    )


_FIRST_DAY, _LAST_DAY = date(2027, 1, 1), date(2029, 1, 31)
"""Two years with a leap day in them; every schedule that AWS accepts here repeats within."""

_WEEK = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_YEAR = tuple(calendar.month_abbr[month].upper() for month in range(1, 13))


@cache
def longest_gap(expression: str) -> timedelta:
    """The longest time between two runs of an AWS cron expression.

    Raises:
        ValueError: not a cron expression of six fields, or one with ``L``, ``W`` or ``#``, or one that never runs twice.
    """
    runs = list(_runs(expression))
    if len(runs) < 2:
        raise ValueError(f"{expression}: runs fewer than twice in two years")
    return max(later - earlier for earlier, later in itertools.pairwise(runs))


def _runs(expression: str) -> Iterator[datetime]:
    fields = expression.removeprefix("cron(").removesuffix(")").split()
    if not expression.startswith("cron(") or len(fields) != 6:
        raise ValueError(f"{expression}: expected cron(minutes hours day-of-month month day-of-week year)")
    minutes, hours = _numbers(fields[0], 0, 59), _numbers(fields[1], 0, 23)
    days, months = _numbers(fields[2], 1, 31), _numbers(fields[3], 1, 12, _YEAR)
    # AWS counts Sunday as 1.
    weekdays = _numbers(fields[4], 1, 7, _WEEK)
    years = _numbers(fields[5], 1970, 2199)
    day = _FIRST_DAY
    while day <= _LAST_DAY:
        if day.year in years and day.month in months and day.day in days and (day.isoweekday() % 7) + 1 in weekdays:
            for hour in hours:
                for minute in minutes:
                    yield datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)
        day += timedelta(days=1)


def _numbers(text: str, low: int, high: int, names: Sequence[str] = ()) -> list[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        if first in {"*", "?"}:
            start, end = low, high
        else:
            start = _number(first, low, names)
            end = _number(last, low, names) if last else (high if step else start)
        found.update(range(start, end + 1, int(step or 1)))
    if not found or min(found) < low or max(found) > high:
        raise ValueError(f"{text}: expected values from {low} to {high}")
    return sorted(found)


def _number(text: str, low: int, names: Sequence[str]) -> int:
    if text in names:
        return names.index(text) + low
    if not text.isdigit():
        raise ValueError(f"{text}: only numbers, names, lists, ranges and steps are understood")
    return int(text)
