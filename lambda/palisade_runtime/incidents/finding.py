"""Whatever is reported, in one form: who found what where, and when.

A finding's ``fingerprint`` is what it is about. While an incident is not resolved, every further finding of its fingerprint
belongs to it; posture (a control that fails) counts by account and region and not by resource. A finding's ``occurrence``
names one telling of it: the same event delivered twice is told once.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

LONGEST_TITLE = 200
DRILL = "palisade.drill"
"""Where the events of a drill come from: no service of AWS, whose names begin with ``aws``."""
DRILL_TITLE = "[DRILL]"
_MOST_RESOURCES = 20
_ALARM_PART = "Part of "
_BURN = re.compile(r"The error budget of .* burns ([\d.]+) times too fast")


class UnknownFindingError(Exception):
    """The event is none that the findings bus takes, or lacks what a finding is made of."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One thing that a finding concerns: ``kind`` is ``instance``, ``access-key``, ``session``, ``user``, ``role``, ``bucket``,
    ``object``, ``function``, ``database``, ``address`` (from where somebody came) or AWS's own name of a resource type.

    ``tenant`` is the value of its ``tenant`` tag, where the finding carries tags.
    """

    kind: str
    id: str
    tenant: str | None = None


@dataclass(frozen=True, kw_only=True)
class Finding:
    """``kind`` is who found it (``guardduty``, ``security-hub``, ``inspector``, ``macie``, ``access-analyzer``,
    ``unused-access``, ``config``, ``objective``, ``canary``, ``alarm``, ``root``, ``break-glass``, ``report``); ``type`` is
    what, in the finder's words; ``severity`` how grave the finder thinks it is, from 0 to 10.
    """

    kind: str
    type: str
    title: str
    account: str
    region: str
    severity: float
    subjects: tuple[Subject, ...]
    occurred_at: datetime
    found_at: datetime
    source: str
    about: str
    """What the fingerprint tells apart besides kind, type, account and region."""

    @property
    def fingerprint(self) -> str:
        """Twenty hexadecimal digits of what it is about."""
        return _digest([self.kind, self.type, self.account, self.region, self.about])

    @property
    def occurrence(self) -> str:
        """Twenty hexadecimal digits of this telling."""
        return _digest([self.source, self.found_at.isoformat()])

    def as_record(self) -> dict[str, Any]:
        """As it is written down."""
        return {
            "kind": self.kind,
            "type": self.type,
            "title": self.title,
            "account": self.account,
            "region": self.region,
            "severity": self.severity,
            "subjects": [
                {"kind": one.kind, "id": one.id} | ({} if one.tenant is None else {"tenant": one.tenant})
                for one in self.subjects
            ],
            "occurred_at": self.occurred_at.isoformat(),
            "found_at": self.found_at.isoformat(),
            "source": self.source,
        }


def ignored(event: Mapping[str, Any], *, own_alarms: str) -> bool:
    """Whether an event opens no incident: half of a composite alarm, which says nothing alone, or an alarm about the handling
    of incidents itself (its name begins with ``own_alarms``), which people hear of directly.
    """
    detail = event.get("detail")
    if event.get("detail-type") != "CloudWatch Alarm State Change" or not isinstance(detail, Mapping):
        return False
    return str(detail.get("alarmName", "")).startswith(own_alarms) or _description(detail).startswith(_ALARM_PART)


def findings(event: Mapping[str, Any]) -> list[Finding]:
    """The findings in an event of the findings bus; Security Hub tells several at once.

    Raises:
        UnknownFindingError: the event is none of the kinds in docs/findings.schema.json.
    """
    read = _READERS.get(str(event.get("detail-type")))
    detail = event.get("detail")
    if read is None or not isinstance(detail, Mapping):
        raise UnknownFindingError(str(event.get("detail-type"))[:100])
    try:
        found = list(read(event, detail))
        return [_of_a_drill(one, event) for one in found] if event.get("source") == DRILL else found
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise UnknownFindingError(f"{event['detail-type']}: {type(error).__name__}") from error


def _of_a_drill(finding: Finding, event: Mapping[str, Any]) -> Finding:
    """Said to be a drill wherever it is told, and an incident of its own: no real one takes it in, nor it a real one."""
    title = finding.title if finding.title.startswith(DRILL_TITLE) else f"{DRILL_TITLE} {finding.title}"
    return replace(finding, title=title[:LONGEST_TITLE], about=f"{finding.about} {event['resources'][0]}")


def _guardduty(event: Mapping[str, Any], detail: Mapping[str, Any]) -> Iterator[Finding]:
    subjects = list(_guardduty_subjects(detail))
    whose = [one.id for one in subjects if one.kind != "address"]
    yield _finding(
        event,
        kind="guardduty",
        type=detail["type"],
        title=detail["title"],
        account=detail["accountId"],
        region=detail["region"],
        severity=detail["severity"],
        subjects=subjects,
        occurred_at=_get(detail, "service", "eventFirstSeen") or detail.get("createdAt"),
        found_at=detail["updatedAt"],
        source=detail["id"],
        about=whose[0] if whose else "",
    )


def _guardduty_subjects(detail: Mapping[str, Any]) -> Iterator[Subject]:
    """https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings-details.html"""
    resource = detail.get("resource", {})
    for place, kind, names in (
        ("instanceDetails", "instance", ("instanceId",)),
        ("accessKeyDetails", "session", ("principalId",)),
        ("accessKeyDetails", "access-key", ("accessKeyId",)),
        ("accessKeyDetails", "user", ("userName",)),
        ("lambdaDetails", "function", ("functionArn", "functionName")),
        ("rdsDbInstanceDetails", "database", ("dbInstanceArn", "dbInstanceIdentifier")),
    ):
        found = resource.get(place) or {}
        value = next((found[name] for name in names if found.get(name)), None)
        if value is not None:
            role = kind == "user" and found.get("userType") in {"AssumedRole", "Role"}
            yield Subject(kind="role" if role else kind, id=str(value), tenant=_tag(found.get("tags")))
    for bucket in resource.get("s3BucketDetails") or ():
        yield Subject(kind="bucket", id=str(bucket["name"]), tenant=_tag(bucket.get("tags")))
        for one in bucket.get("s3ObjectDetails") or ():
            yield Subject(kind="object", id=f"{bucket['name']}/{one['key']}")
    action = _get(detail, "service", "action") or {}
    addresses = {
        str(ip)
        for one in action.values()
        if isinstance(one, Mapping)
        for holder in (one, *(one.get("portProbeDetails") or ()))
        if (ip := _get(holder, "remoteIpDetails", "ipAddressV4"))
    }
    yield from (Subject(kind="address", id=address) for address in sorted(addresses))


def _security_hub(event: Mapping[str, Any], detail: Mapping[str, Any]) -> Iterator[Finding]:
    """https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format-syntax.html"""
    labels = {"CRITICAL": 9.0, "HIGH": 7.0, "MEDIUM": 4.0}
    for one in detail["findings"]:
        control = _get(one, "Compliance", "SecurityControlId") or one.get("GeneratorId") or one["Title"]
        yield _finding(
            event,
            kind="security-hub",
            type=str(control),
            title=one["Title"],
            account=one["AwsAccountId"],
            region=one["Region"],
            severity=labels.get(str(_get(one, "Severity", "Label")), 1.0),
            subjects=[
                Subject(kind=str(each.get("Type", "resource")), id=str(each["Id"]), tenant=_tag(each.get("Tags")))
                for each in one.get("Resources", ())
            ],
            occurred_at=one.get("FirstObservedAt") or one.get("CreatedAt"),
            found_at=one.get("UpdatedAt"),
            source=one["Id"],
            about="",
        )


def _inspector(event: Mapping[str, Any], detail: Mapping[str, Any]) -> Iterator[Finding]:
    labels = {"CRITICAL": 9.0, "HIGH": 7.0, "MEDIUM": 4.0}
    yield _finding(
        event,
        kind="inspector",
        type=str(detail.get("type", "vulnerability")),
        title=detail["title"],
        account=detail["awsAccountId"],
        region=event["region"],
        severity=labels.get(detail["severity"], 1.0),
        subjects=[
            Subject(kind=str(one.get("type", "resource")), id=str(one["id"]), tenant=_tag(one.get("tags")))
            for one in detail.get("resources", ())
        ],
        occurred_at=detail.get("firstObservedAt"),
        found_at=event["time"],
        source=detail["findingArn"],
        about=detail["title"],
    )


def _macie(event: Mapping[str, Any], detail: Mapping[str, Any]) -> Iterator[Finding]:
    """https://docs.aws.amazon.com/macie/latest/user/findings-publish-event-schemas.html"""
    labels = {"High": 7.0, "Medium": 4.0, "Low": 1.0}
    bucket = _get(detail, "resourcesAffected", "s3Bucket") or {}
    name = str(bucket.get("name", ""))
    subjects = [Subject(kind="bucket", id=name, tenant=_tag(bucket.get("tags")))] if name else []
    key = _get(detail, "resourcesAffected", "s3Object", "key")
    if key:
        tags = _get(detail, "resourcesAffected", "s3Object", "tags")
        subjects.append(Subject(kind="object", id=f"{name}/{key}", tenant=_tag(tags)))
    yield _finding(
        event,
        kind="macie",
        type=detail["type"],
        title=detail["title"],
        account=detail["accountId"],
        region=detail["region"],
        severity=labels.get(str(_get(detail, "severity", "description")), 1.0),
        subjects=subjects,
        occurred_at=detail.get("createdAt"),
        found_at=detail.get("updatedAt"),
        source=detail["id"],
        about=name,
    )


def _access_analyzer(event: Mapping[str, Any], detail: Mapping[str, Any]) -> Iterator[Finding]:
    kind = str(detail.get("resourceType", "resource"))
    yield _finding(
        event,
        kind="access-analyzer",
        type=kind,
        title=f"{'Anybody' if detail.get('isPublic') else 'Somebody outside'} can reach {detail['resource']}",
        account=detail["accountId"],
        region=event["region"],
        severity=9.0 if detail.get("isPublic") else 7.0,
        subjects=[Subject(kind=_plain(kind), id=str(detail["resource"]))],
        occurred_at=detail.get("createdAt"),
        found_at=detail.get("updatedAt"),
        source=detail["id"],
        about=str(detail["resource"]),
    )


def _unused_access(event: Mapping[str, Any], detail: Mapping[str, Any]) -> Iterator[Finding]:
    yield _finding(
        event,
        kind="unused-access",
        type=detail["findingType"],
        title=f"Nobody uses access: {detail['findingType']}",
        account=detail["accountId"],
        region=event["region"],
        severity=1.0,
        subjects=[Subject(kind=_plain(str(detail.get("resourceType", "resource"))), id=str(detail["resource"]))],
        occurred_at=detail.get("createdAt"),
        found_at=detail.get("updatedAt"),
        source=detail["findingId"],
        about="",
    )


def _config(event: Mapping[str, Any], detail: Mapping[str, Any]) -> Iterator[Finding]:
    result = detail["newEvaluationResult"]
    yield _finding(
        event,
        kind="config",
        type=detail["configRuleName"],
        title=f"A resource does not comply with {detail['configRuleName']}",
        account=detail["awsAccountId"],
        region=detail["awsRegion"],
        severity=4.0,
        subjects=[Subject(kind=_plain(detail["resourceType"]), id=str(detail["resourceId"]))],
        occurred_at=_get(result, "evaluationResultIdentifier", "orderingTimestamp"),
        found_at=result.get("resultRecordedTime"),
        source=f"{detail['configRuleName']}/{detail['resourceType']}/{detail['resourceId']}",
        about="",
    )


def _alarm(event: Mapping[str, Any], detail: Mapping[str, Any]) -> Iterator[Finding]:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html"""
    said = _description(detail)
    burn = _BURN.match(said)
    metrics = _get(detail, "configuration", "metrics") or []
    spaces = {_get(one, "metricStat", "metric", "namespace") for one in metrics}
    if burn is not None:
        kind, severity = "objective", min(float(burn[1]), 10.0)
    elif "CloudWatchSynthetics" in spaces:
        kind, severity = "canary", 7.0
    else:
        kind, severity = "alarm", 5.0
    yield _finding(
        event,
        kind=kind,
        type=detail["alarmName"],
        title=said or detail["alarmName"],
        account=event["account"],
        region=event["region"],
        severity=severity,
        subjects=[Subject(kind="alarm", id=str(one)) for one in event.get("resources", ())],
        occurred_at=detail["state"].get("timestamp"),
        found_at=detail["state"].get("timestamp"),
        source=f"{event['account']}/{event['region']}/{detail['alarmName']}",
        about="",
    )


def _deed(event: Mapping[str, Any], detail: Mapping[str, Any]) -> Iterator[Finding]:
    """https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html"""
    who = detail["userIdentity"]
    root = who.get("type") == "Root"
    arn = str(who.get("arn", who.get("type")))
    subjects = [Subject(kind="session", id=arn)]
    source = str(detail.get("sourceIPAddress", ""))
    if re.fullmatch(r"[\d.]+|[0-9a-fA-F:]+:[0-9a-fA-F:]*", source):
        subjects.append(Subject(kind="address", id=source))
    yield _finding(
        event,
        kind="root" if root else "break-glass",
        type="RootUsed" if root else "EmergencyRoleUsed",
        title=f"The root user did {detail['eventName']}" if root else f"An emergency role did {detail['eventName']}",
        account=str(who.get("accountId") or event["account"]),
        region=str(detail.get("awsRegion", event["region"])),
        severity=9.0 if root else 7.0,
        subjects=subjects,
        occurred_at=detail["eventTime"],
        found_at=detail["eventTime"],
        source=detail["eventID"],
        about=arn,
    )


_READERS: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any]], Iterator[Finding]]] = {
    "GuardDuty Finding": _guardduty,
    "Security Hub Findings - Imported": _security_hub,
    "Inspector2 Finding": _inspector,
    "Macie Finding": _macie,
    "Access Analyzer Finding": _access_analyzer,
    "Unused Access Finding for IAM entities": _unused_access,
    "Config Rules Compliance Change": _config,
    "CloudWatch Alarm State Change": _alarm,
    "AWS API Call via CloudTrail": _deed,
    "AWS Console Sign In via CloudTrail": _deed,
}
KINDS = tuple(_READERS)
"""Every detail-type that is read."""


def _finding(
    event: Mapping[str, Any],
    *,
    kind: str,
    type: str,  # noqa: A002 - the finder's word
    title: str,
    account: str,
    region: str,
    severity: float,
    subjects: Sequence[Subject],
    occurred_at: object,
    found_at: object,
    source: str,
    about: str,
) -> Finding:
    delivered = moment(event["time"])
    assert delivered is not None
    found = moment(found_at) or delivered
    return Finding(
        kind=kind,
        type=str(type),
        title=" ".join(str(title).split())[:LONGEST_TITLE],
        account=str(account),
        region=str(region),
        severity=float(severity),
        subjects=tuple(subjects[:_MOST_RESOURCES]),
        occurred_at=min(moment(occurred_at) or found, found),
        found_at=found,
        source=str(source),
        about=str(about),
    )


def moment(text: object) -> datetime | None:
    """A moment as AWS's services write it; None if it is none."""
    if isinstance(text, datetime):
        return text
    if not isinstance(text, str):
        return None
    for style in ("%Y-%m-%dT%H:%M:%S.%f%z", "%b %d, %Y, %I:%M:%S %p"):
        try:
            parsed = datetime.strptime(text.replace("\u202f", " "), style)  # noqa: DTZ007 - Inspector names no zone
        except ValueError:
            continue
        return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    try:
        parsed = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _digest(parts: list[str]) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:20]


def _get(value: Any, *names: str) -> Any:
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _description(detail: Mapping[str, Any]) -> str:
    return str(_get(detail, "configuration", "description") or "")


def _plain(kind: str) -> str:
    """AWS's name of a resource type, as a subject's kind."""
    return {
        "AWS::EC2::Instance": "instance",
        "AWS::IAM::Role": "role",
        "AWS::IAM::User": "user",
        "AWS::Lambda::Function": "function",
        "AWS::S3::Bucket": "bucket",
    }.get(kind, kind)


def _tag(tags: Any) -> str | None:
    """The value of the tag ``tenant``, in whichever form a service writes tags."""
    if isinstance(tags, Mapping):
        value = tags.get("tenant")
        return None if value is None else str(value)
    for one in tags if isinstance(tags, list) else ():
        if isinstance(one, Mapping) and (one.get("key") or one.get("Key")) == "tenant":
            return str(one.get("value") or one.get("Value"))
    return None
