"""Alarms that go somewhere, rules that have targets, filters that count."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from assembly import Resource
from gate.control import control
from gate.policies import documents
from gate.world import World, as_list, at, truthy, walk


@control("observability.alarm.action", "AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
def alarm_actions(alarm: Resource, world: World) -> Iterator[str]:
    """Every alarm tells somebody, itself or through a composite alarm that does, and is switched on.

    Fix: set AlarmActions to the stage's alarm topic and leave ActionsEnabled on.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html
    """
    if alarm.properties.get("ActionsEnabled") in {False, "false"}:
        yield "its actions are off"
    actions = as_list(alarm.properties.get("AlarmActions"))
    if not actions:
        name = world.text(alarm.properties.get("AlarmName", ""), alarm)
        for composite in world.of_type("AWS::CloudWatch::CompositeAlarm", near=alarm):
            rule = world.text(composite.properties.get("AlarmRule", ""), composite)
            if (composite.logical_id != alarm.logical_id) and (
                (name and name in rule) or f"{alarm.stack}/{alarm.logical_id}" in rule
            ):
                return
        yield "nobody is told when it goes off"
    for action in actions:
        target = world.target(action, alarm)
        text = world.text(action, alarm)
        if target is None and not text.startswith(("arn:aws:automate:", "arn:aws:ssm:", "arn:aws:swf:")):
            yield f"it tells {text}, which is none of this deployment's"


@control("observability.alarm.missing-data", "AWS::CloudWatch::Alarm")
def alarm_shape(alarm: Resource, _world: World) -> Iterator[str]:
    """An alarm states what silence means, and looks at something.

    Fix: set TreatMissingData, and MetricName or Metrics.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html#alarms-and-missing-data
    """
    if alarm.properties.get("TreatMissingData") is None:
        yield "what silence means is not stated"
    if not alarm.properties.get("MetricName") and not alarm.properties.get("Metrics"):
        yield "it looks at nothing"


_TROUBLE = re.compile(
    r"(?i)\w*(error|fail|throttle|denied|reject|5xx|4xx|dropped|dead|age|lag|freshness|utili[sz]ation|latency|messagesvisible|"
    r"blockedrequests)\w*"
)


_SHORTAGE = re.compile(r"(?i)(free|available|healthyhost|remaining)\w*")
_DIMENSIONS: Mapping[str, tuple[frozenset[str], ...]] = {
    namespace: tuple(frozenset(names.split()) for names in sets)
    for namespace, sets in {
        "AWS/ApiGateway": ("ApiName", "ApiId"),
        "AWS/ApplicationELB": ("LoadBalancer",),
        "AWS/CloudFront": ("DistributionId Region",),
        "AWS/DynamoDB": ("TableName",),
        "AWS/EC2": ("AutoScalingGroupName", "InstanceId"),
        "AWS/Events": ("RuleName",),
        "AWS/Firehose": ("DeliveryStreamName",),
        "AWS/RDS": ("DBClusterIdentifier", "DBInstanceIdentifier"),
        "AWS/SNS": ("TopicName",),
        "AWS/SQS": ("QueueName",),
        "AWS/WAFV2": ("WebACL Rule",),
        "CloudWatchSynthetics": ("CanaryName",),
    }.items()
}
"""Dimensions without which a namespace's metrics are another's, or nothing's."""


@control("observability.alarm.dimensions", "AWS::CloudWatch::Alarm")
def alarm_dimensions(alarm: Resource, _world: World) -> Iterator[str]:
    """An alarm says whose metric it watches, by the dimensions under which the service publishes it.

    Fix: set every dimension of the metric.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/aws-services-cloudwatch-metrics.html
    """
    metrics = [at(one, "MetricStat", "Metric") for one in as_list(alarm.properties.get("Metrics"))]
    for metric in (alarm.properties, *(one for one in metrics if one)):
        wanted = _DIMENSIONS.get(str(metric.get("Namespace")))
        given = {one.get("Name") for one in as_list(metric.get("Dimensions"))}
        if wanted and not any(names <= given for names in wanted):
            yield f"{metric.get('MetricName')} is looked for without {' or '.join(' and '.join(sorted(one)) for one in wanted)}"


@control("observability.alarm.measured", "AWS::CloudWatch::Alarm")
def alarm_measured(alarm: Resource, world: World) -> Iterator[str]:
    """An alarm on a metric of one's own watches one that something makes: a filter that counts it, or a role that may put it.

    Fix: name the namespace and metric of a metric filter, or let the function's role put metrics into the namespace.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/MonitoringLogData.html
    """
    metrics = [at(one, "MetricStat", "Metric") for one in as_list(alarm.properties.get("Metrics"))]
    for metric in (alarm.properties, *(one for one in metrics if one)):
        namespace, name = (world.text(metric.get(part, ""), alarm) for part in ("Namespace", "MetricName"))
        if not namespace or namespace.startswith("AWS/") or namespace in _DIMENSIONS:
            continue
        counted = any(
            (world.text(item.get("MetricNamespace", ""), made), world.text(item.get("MetricName", ""), made))
            == (namespace, name)
            for made in world.of_type("AWS::Logs::MetricFilter", near=alarm)
            for item in as_list(made.properties.get("MetricTransformations"))
        )
        put = any(
            isinstance(node, dict) and node.get("cloudwatch:namespace") == namespace
            for policy in world.of_type("AWS::IAM::ManagedPolicy", near=alarm)
            for node in walk(policy.properties)
        )
        if not counted and not put:
            yield f"nothing makes {namespace} {name}"


@control("observability.alarm.direction", "AWS::CloudWatch::Alarm")
def alarm_direction(alarm: Resource, _world: World) -> Iterator[str]:
    """An alarm on errors, delays, load or undelivered messages goes off when there are more of them.

    Fix: set ComparisonOperator to GreaterThanThreshold or GreaterThanOrEqualToThreshold.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
    """
    operator = str(alarm.properties.get("ComparisonOperator"))
    name = str(alarm.properties.get("MetricName", "")).rsplit(".", maxsplit=1)[-1]
    expressions = [str(one["Expression"]) for one in as_list(alarm.properties.get("Metrics")) if "Expression" in one]
    if _SHORTAGE.fullmatch(name) and not operator.startswith("LessThan"):
        yield f"it watches {name} with {operator}"
    if (_TROUBLE.fullmatch(name) or "TriggeredRules" in name or expressions) and not operator.startswith("GreaterThan"):
        yield f"it watches {name or expressions[-1]} with {operator}"


@control("observability.rule.reads", "AWS::Events::Rule")
def rule_reads(rule: Resource, _world: World) -> Iterator[str]:
    """A rule on calls of any name hears those that only read, which EventBridge leaves out unless asked.

    Fix: set State ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html
    """
    pattern = rule.properties.get("EventPattern", {})
    calls = "AWS API Call via CloudTrail" in as_list(at(pattern, "detail-type"))
    everywhere = not {"eventName", "eventSource"} & set(at(pattern, "detail", default={}))
    if calls and everywhere and rule.properties.get("State") in {None, "ENABLED"}:
        yield "it does not hear calls that only read"


@control("observability.rule.retries", "AWS::Events::Rule")
def rule_retries(rule: Resource, _world: World) -> Iterator[str]:
    """An event that cannot be delivered is tried again for an hour at least before it is set aside.

    Fix: leave RetryPolicy to its defaults, or allow an hour and ten attempts.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
    """
    for target in as_list(rule.properties.get("Targets")):
        retries = target.get("RetryPolicy", {})
        if int(retries.get("MaximumEventAgeInSeconds", 86400)) < 3600:
            yield f"events are given up after {retries['MaximumEventAgeInSeconds']} seconds"
        if int(retries.get("MaximumRetryAttempts", 185)) < 10:
            yield f"events are given up after {retries['MaximumRetryAttempts']} attempts"


@control("observability.rule.targets", "AWS::Events::Rule", "AWS::Scheduler::Schedule")
def rule_targets(rule: Resource, world: World) -> Iterator[str]:
    """A rule is on, tells something of this deployment, and keeps what it could not tell.

    Fix: set State ENABLED, and Targets each with a DeadLetterConfig.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rules.html
    """
    if rule.properties.get("State", "ENABLED") == "DISABLED":
        yield "it is off"
    targets = [rule.properties["Target"]] if "Target" in rule.properties else as_list(rule.properties.get("Targets"))
    if not targets:
        yield "it tells nobody"
    for target in targets:
        arn = target.get("Arn")
        if not target.get("DeadLetterConfig"):
            yield "events that cannot be delivered are lost"
        elif world.target(at(target, "DeadLetterConfig", "Arn"), rule) is None:
            yield "events that cannot be delivered go to no queue of this deployment"
        text = world.text(arn, rule)
        if world.target(arn, rule) is None and not text.startswith(
            ("arn:aws:scheduler:::aws-sdk:", "arn:aws:ssm:", "arn:aws:automation")
        ):
            yield f"it tells {text}, which is none of this deployment's"


@control("observability.rule.permission", "AWS::Events::Rule")
def rule_permission(rule: Resource, world: World) -> Iterator[str]:
    """What a rule calls lets EventBridge call it: a function by permission, a topic or queue by policy, else by role.

    Fix: add the permission or statement for events.amazonaws.com, or a RoleArn on the target.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
    """
    for entry in as_list(rule.properties.get("Targets")):
        target = world.target(entry.get("Arn"), rule)
        if target is None or entry.get("RoleArn") is not None:
            continue
        if target.type == "AWS::Lambda::Function":
            allowed = any(
                permission.properties.get("Principal") == "events.amazonaws.com"
                for permission in world.pointing_at(target, "FunctionName", "AWS::Lambda::Permission")
            )
        elif target.type in {"AWS::SNS::Topic", "AWS::SQS::Queue"}:
            policy_type, prop = (
                ("AWS::SNS::TopicPolicy", "Topics")
                if target.type == "AWS::SNS::Topic"
                else ("AWS::SQS::QueuePolicy", "Queues")
            )
            allowed = any(
                statement.allows and "events.amazonaws.com" in statement.services
                for policy in world.pointing_at(target, prop, policy_type)
                for document in documents(policy, world)
                for statement in document.statements
            )
        else:
            continue
        if not allowed:
            yield f"{target.path} does not let EventBridge call it"


@control("observability.topic.alarm-senders", "AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
def alarm_senders(alarm: Resource, world: World) -> Iterator[str]:
    """The topic that an alarm tells lets CloudWatch publish.

    Fix: allow cloudwatch.amazonaws.com sns:Publish in the topic's policy.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
    """
    for action in as_list(alarm.properties.get("AlarmActions")):
        topic = world.target(action, alarm)
        if topic is None or topic.type != "AWS::SNS::Topic":
            continue
        if not any(
            statement.allows and statement.covers("sns:Publish") and "cloudwatch.amazonaws.com" in statement.services
            for policy in world.pointing_at(topic, "Topics", "AWS::SNS::TopicPolicy")
            for document in documents(policy, world)
            for statement in document.statements
        ):
            yield f"{topic.path} does not let CloudWatch publish"


@control("observability.health-check.used", "AWS::Route53::HealthCheck")
def health_check(check: Resource, _world: World) -> Iterator[str]:
    """A health check asks over TLS and is neither off nor inverted.

    Fix: set Type HTTPS and EnableSNI; remove Inverted and Disabled.
    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-creating-values.html
    """
    config = check.properties.get("HealthCheckConfig", {})
    if config.get("Type") in {"HTTP", "HTTP_STR_MATCH", "TCP"}:
        yield f"it asks by {config.get('Type')}"
    if truthy(config.get("Inverted")) or truthy(config.get("Disabled")):
        yield "it is off or inverted"


@control("observability.filter.alarmed", "AWS::Logs::MetricFilter")
def filter_alarmed(resource: Resource, world: World) -> Iterator[str]:
    """What a metric filter counts, an alarm or objective watches.

    Fix: add an alarm on the filter's metric.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/Counting-Log-Events.html
    """
    names = {
        world.text(item.get("MetricName", ""), resource)
        for item in resource.properties.get("MetricTransformations", [])
    }
    watched = {
        world.text(node["MetricName"], alarm)
        for alarm in world.of_type("AWS::CloudWatch::Alarm", near=resource)
        for node in walk(alarm.properties)
        if isinstance(node, dict) and "MetricName" in node
    }
    dashboards = " ".join(
        world.text(board.properties.get("DashboardBody", ""), board)
        for board in world.of_type("AWS::CloudWatch::Dashboard", near=resource)
    )
    for name in sorted(names - watched):
        if name not in dashboards:
            yield f"nothing watches {name}"


NOTICED: Mapping[str, tuple[str, ...]] = {
    "use of root": ('"Root"', "invokedBy"),
    "sign-in without MFA": ("MFAUsed",),
    "refused calls": ("AccessDenied",),
    "failed sign-in": ("Failure",),
    "changes of IAM": ("iam.amazonaws.com", "AttachRolePolicy"),
    "changes of trails": ("StopLogging",),
    "disabling or deletion of keys": ("ScheduleKeyDeletion",),
    "changes of key policies": ("PutKeyPolicy",),
    "changes of bucket policies": ("PutBucketPolicy",),
    "changes of AWS Config": ("StopConfigurationRecorder",),
    "changes of security groups": ("AuthorizeSecurityGroupIngress",),
    "changes of access lists": ("CreateNetworkAclEntry",),
    "changes of gateways": ("AttachInternetGateway",),
    "changes of route tables": ('"CreateRoute"',),
    "changes of networks": ('"CreateVpc"',),
    "changes of the organization": ("organizations.amazonaws.com",),
    "sharing of snapshots": ("ModifySnapshotAttribute",),
    "sharing of database snapshots": ("ModifyDBClusterSnapshotAttribute",),
}
"""What CIS asks to notice, with words that the pattern of a rule or filter must hold.
https://docs.aws.amazon.com/securityhub/latest/userguide/cloudwatch-controls.html"""

_WORLD_WIDE = frozenset({"changes of IAM", "changes of the organization"})
"""Calls whose events appear in us-east-1 alone."""

TROUBLES: Mapping[str, tuple[str, ...]] = {
    "certificates that end": ("ACM Certificate Approaching Expiration",),
    "trouble of databases": ("aws.rds",),
    "events of AWS Health": ("aws.health",),
}


def _patterns(world: World, near: Resource, regions: set[str]) -> list[str]:
    return [
        json.dumps(resource.properties.get("EventPattern"))
        for resource in world.of_type("AWS::Events::Rule", near=near)
        if world.stack(resource).region in regions
    ]


@control("observability.deeds.noticed", "AWS::EC2::VPC")
def deeds_noticed(vpc: Resource, world: World) -> Iterator[str]:
    """In an account that holds a network, people hear of root's use, sign-ins without MFA, and changes of identity, keys,
    evidence and network, in the network's region and where global services report.

    Fix: add the stage's SecurityNotices, in the home region and in us-east-1.
    https://docs.aws.amazon.com/securityhub/latest/userguide/cloudwatch-controls.html
    """
    for region in dict.fromkeys((world.stack(vpc).region, "us-east-1")):
        patterns = _patterns(world, vpc, {region})
        for name, texts in NOTICED.items():
            if name in _WORLD_WIDE and region != "us-east-1":
                continue
            if not any(all(text in pattern for text in texts) for pattern in patterns):
                yield f"nobody hears of {name} in {region}"


@control("observability.troubles.noticed", "AWS::EC2::VPC")
def troubles_noticed(vpc: Resource, world: World) -> Iterator[str]:
    """In an account that holds a network, people hear of ending certificates, troubled databases and AWS's own incidents.

    Fix: add the stage's ServiceNotices.
    https://docs.aws.amazon.com/health/latest/ug/cloudwatch-events-health.html
    """
    patterns = _patterns(world, vpc, {world.stack(vpc).region})
    for name, texts in TROUBLES.items():
        if not any(all(text in pattern for text in texts) for pattern in patterns):
            yield f"nobody hears of {name}"


@control("observability.objective.burn-rate", "AWS::CloudWatch::CompositeAlarm")
def burn_rate(alarm: Resource, world: World) -> Iterator[str]:
    """A composite alarm joins alarms of this deployment: none of those it names is missing.

    Fix: name existing alarms in AlarmRule.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Create_Composite_Alarm.html
    """
    rule = alarm.properties.get("AlarmRule")
    named = len(re.findall(r"(?:ALARM|OK|INSUFFICIENT_DATA)\(", world.text(rule, alarm)))
    found = len({(one.stack, one.logical_id) for one in world.targets(rule, alarm)})
    if isinstance(rule, dict) and found < named:
        yield f"it names {named} alarms, of which {named - found} do not exist"


@control("observability.dead-letters.alarmed", "AWS::SQS::Queue")
def dead_letters_alarmed(queue: Resource, world: World) -> Iterator[str]:
    """Somebody hears when a queue's messages fail: every dead-letter queue has an alarm.

    Fix: add an alarm on the queue's visible messages.
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
    """
    holds = any(
        world.target(at(other.properties, "RedrivePolicy", "deadLetterTargetArn"), other) == queue
        for other in world.of_type("AWS::SQS::Queue", near=queue)
    )
    if holds and not any(
        (one.stack, one.logical_id) == (queue.stack, queue.logical_id)
        for alarm in world.of_type("AWS::CloudWatch::Alarm", near=queue)
        for one in world.targets(alarm.properties, alarm)
    ):
        yield "nobody hears that messages fail"


@control("observability.rule.wakes", "AWS::Events::Rule")
def wakes(rule: Resource, _world: World) -> Iterator[str]:
    """A rule waits for an event or for a time; one that waits for neither never calls its target.

    Fix: give the rule an EventPattern or a ScheduleExpression.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rules.html
    """
    if not rule.properties.get("EventPattern") and not rule.properties.get("ScheduleExpression"):
        yield "it has neither EventPattern nor ScheduleExpression, so nothing wakes it"
