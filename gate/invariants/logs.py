"""Log groups: kept for a set time, masked, and named as the delivering services demand."""

from __future__ import annotations

from collections.abc import Iterator

from assembly import Resource
from gate.control import control
from gate.world import World, as_list, at, walk

_OFFERED = frozenset(
    {1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}
)


@control("logs.group.retention", "AWS::Logs::LogGroup")
def retention(group: Resource, _world: World) -> Iterator[str]:
    """Every log group keeps its events for a set time, at least a week, and of a length that CloudWatch offers.

    Fix: set RetentionInDays to one of the values CloudWatch Logs offers.
    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
    """
    days = group.properties.get("RetentionInDays")
    if days is None:
        yield "its events are kept for ever"
    elif int(days) not in _OFFERED:
        yield f"CloudWatch Logs does not offer {days} days"
    elif int(days) < 7:
        yield f"its events are kept for {days} days only"


@control("logs.group.masking", "AWS::Logs::LogGroup")
def masking(group: Resource, _world: World) -> Iterator[str]:
    """Personal data and credentials are found and masked in every log group.

    Fix: give DataProtectionPolicy an audit and a de-identify statement over the same identifiers.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/mask-sensitive-log-data.html
    """
    if group.properties.get("LogGroupClass") == "INFREQUENT_ACCESS":
        yield "its class does not offer masking"
    policy = group.properties.get("DataProtectionPolicy")
    operations = {
        operation: set(map(str, statement.get("DataIdentifier", [])))
        for statement in at(policy, "Statement", default=[])
        for operation in statement.get("Operation", {})
    }
    if not operations.get("Deidentify"):
        yield "nothing in it is masked"
    elif operations.get("Audit") != operations["Deidentify"]:
        yield "its masking statement and its audit statement name different data"
    elif not any("EmailAddress" in name for name in operations["Deidentify"]) or not any(
        "AwsSecretKey" in name for name in operations["Deidentify"]
    ):
        yield "e-mail addresses or secret keys are not masked"
    elif any(
        "MaskConfig" not in s["Operation"]["Deidentify"]
        for s in at(policy, "Statement", default=[])
        if "Deidentify" in s.get("Operation", {})
    ):
        yield "its masking statement has no MaskConfig"


_FIELDS = (
    "date",
    "time",
    "c-ip",
    "cs-method",
    "cs(Host)",
    "cs-uri-stem",
    "cs(User-Agent)",
    "sc-status",
    "x-edge-request-id",
)


@control("logs.delivery.fields", "AWS::Logs::Delivery")
def delivery_fields(delivery: Resource, _world: World) -> Iterator[str]:
    """A distribution's access log says when, who, what and with which result, and leaves out what holds secrets.

    Fix: list the fields in RecordFields, without cs(Cookie), cs(Referer) and cs-uri-query.
    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logs-reference.html
    """
    fields = set(as_list(delivery.properties.get("RecordFields")))
    if not fields:
        yield "it records every field, cookies and queries included"
        return
    if not {"c-ip", "cs-method"} & fields:
        return
    missing = [name for name in _FIELDS if name not in fields]
    if missing:
        yield f"it does not record {', '.join(missing)}"
    for name in sorted({"cs(Cookie)", "cs(Referer)", "cs-uri-query"} & fields):
        yield f"it records {name}, which may hold secrets"


@control("logs.group.name", "AWS::Logs::LogGroup")
def name(group: Resource, world: World) -> Iterator[str]:
    """A log group is named as the service that delivers to it demands: WAF's begin with aws-waf-logs-.

    Fix: rename the group.
    https://docs.aws.amazon.com/waf/latest/developerguide/logging-cw-logs.html
    """
    text = world.text(group.properties.get("LogGroupName", ""), group)
    for config in world.of_type("AWS::WAFv2::LoggingConfiguration", near=group):
        for destination in config.properties.get("LogDestinationConfigs", []):
            target = world.target(destination, config)
            if target is not None and (target.stack, target.logical_id) == (group.stack, group.logical_id):
                if not text.startswith("aws-waf-logs-"):
                    yield f"WAF delivers to it, so its name {text} must begin with aws-waf-logs-"


@control("logs.group.retention-by-class", "AWS::Logs::LogGroup")
def retention_by_class(group: Resource, world: World) -> Iterator[str]:
    """Log groups of one name in different stages are kept equally long.

    Fix: take the days from the deployment's retention.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/Working-with-log-groups-and-streams.html
    """
    text = world.text(group.properties.get("LogGroupName", ""), group)
    days = int(group.properties.get("RetentionInDays", 0))
    peers = [
        int(other.properties.get("RetentionInDays", 0))
        for other in world.of_type("AWS::Logs::LogGroup")
        if text and world.text(other.properties.get("LogGroupName", ""), other) == text
    ]
    if peers and days < max(peers):
        yield f"{days} days here, {max(peers)} days in another account"


@control("logs.group.filter-place", "AWS::Logs::MetricFilter", "AWS::Logs::SubscriptionFilter")
def filters(resource: Resource, world: World) -> Iterator[str]:
    """A filter reads a log group of this deployment, looks for something, and sends it nowhere else.

    Fix: name the log group, give a FilterPattern, and a DestinationArn of this deployment.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/MonitoringLogData.html
    """
    if world.target(resource.properties.get("LogGroupName"), resource) is None:
        yield "its log group is none of this deployment's"
    destined = resource.properties.get("DestinationArn")
    if destined is not None and world.target(destined, resource) is None:
        yield f"it sends events to {world.text(destined, resource)}, which is none of this deployment's"
    if resource.type.endswith("MetricFilter") and not resource.properties.get("FilterPattern"):
        yield "it counts every event"


@control("logs.group.cross-account", "AWS::Logs::Destination")
def destination(resource: Resource, world: World) -> Iterator[str]:
    """Log events are taken only from accounts of this deployment.

    Fix: name the accounts or the organization in DestinationPolicy.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CrossAccountSubscriptions.html
    """
    if not any(
        isinstance(node, str) and ("PrincipalOrgID" in node or "aws:Source" in node)
        for node in walk(resource.properties.get("DestinationPolicy"))
    ):
        yield "it takes events from anybody"
