"""Logs, alarms, events, topics and queues."""

from __future__ import annotations

import json
from typing import Any

from rehearsal.checks import Resource, View, check, described


def _log_group(logs: Any, resource: Resource, _view: View) -> Any:
    for found in logs.describe_log_groups(logGroupNamePrefix=resource.id)["logGroups"]:
        if found["logGroupName"] == resource.id:
            return found
    raise LookupError(resource.id)


def _in_pages(operation: str, member: str, name: str, **arguments: Any) -> Any:
    def ask(client: Any, resource: Resource, _view: View) -> Any:
        for found in getattr(client, operation)(**arguments)[member]:
            if found.get(name) == resource.id:
                return found
        raise LookupError(resource.id)

    return ask


def _metric_filter(logs: Any, resource: Resource, _view: View) -> Any:
    group = resource.properties["LogGroupName"]
    for found in logs.describe_metric_filters(logGroupName=group)["metricFilters"]:
        if found["filterName"] == resource.id or found["filterName"] in resource.id:
            return {**found, "LogGroupName": group}
    raise LookupError(resource.id)


def _subscription(logs: Any, resource: Resource, _view: View) -> Any:
    group = resource.properties["LogGroupName"]
    for found in logs.describe_subscription_filters(logGroupName=group)["subscriptionFilters"]:
        if found["destinationArn"] == resource.properties["DestinationArn"]:
            return found
    raise LookupError(resource.id)


def _delivery_source(logs: Any, resource: Resource, _view: View) -> Any:
    found = logs.get_delivery_source(name=resource.id)["deliverySource"]
    return {**found, "ResourceArn": (found.get("resourceArns") or [None])[0]}


def _delivery_destination(logs: Any, resource: Resource, _view: View) -> Any:
    found = logs.get_delivery_destination(name=resource.id)["deliveryDestination"]
    configuration = found["deliveryDestinationConfiguration"]
    made = {**found, "DestinationResourceArn": configuration["destinationResourceArn"]}
    if resource.properties.get("DeliveryDestinationPolicy"):
        policy = logs.get_delivery_destination_policy(deliveryDestinationName=resource.id)["policy"]
        made["DeliveryDestinationPolicy"] = {
            "DeliveryDestinationName": resource.id,
            "DeliveryDestinationPolicy": policy["deliveryDestinationPolicy"],
        }
    return made


def _delivery(logs: Any, resource: Resource, _view: View) -> Any:
    found = logs.get_delivery(id=resource.id)["delivery"]
    s3 = found.get("s3DeliveryConfiguration") or {}
    return {
        **found,
        "S3SuffixPath": s3.get("suffixPath"),
        "S3EnableHiveCompatiblePath": s3.get("enableHiveCompatiblePath"),
    }


def _alarm(cloudwatch: Any, resource: Resource, _view: View) -> Any:
    found = cloudwatch.describe_alarms(AlarmNames=[resource.id], AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    for alarm in [*found.get("MetricAlarms", []), *found.get("CompositeAlarms", [])]:
        return alarm
    raise LookupError(resource.id)


def _dashboard(cloudwatch: Any, resource: Resource, _view: View) -> Any:
    found = cloudwatch.get_dashboard(DashboardName=resource.id)
    return {"DashboardName": found["DashboardName"], "DashboardBody": found["DashboardBody"]}


def _topic(sns: Any, resource: Resource, _view: View) -> Any:
    found = sns.get_topic_attributes(TopicArn=resource.id)["Attributes"]
    subscriptions = sns.list_subscriptions_by_topic(TopicArn=resource.id)["Subscriptions"]
    return {
        **found,
        "TopicName": resource.id.rsplit(":", 1)[1],
        "Subscription": subscriptions,
        "Tags": sns.list_tags_for_resource(ResourceArn=resource.id)["Tags"],
    }


def _topic_policy(sns: Any, resource: Resource, _view: View) -> Any:
    topics = resource.properties["Topics"]
    found = [sns.get_topic_attributes(TopicArn=topic)["Attributes"].get("Policy") for topic in topics]
    return {"Topics": topics, "PolicyDocument": found[0]} if found[0] else None


def _subscribed(sns: Any, resource: Resource, _view: View) -> Any:
    for found in sns.list_subscriptions_by_topic(TopicArn=resource.properties["TopicArn"])["Subscriptions"]:
        if found["Endpoint"] == resource.properties.get("Endpoint"):
            return {**found, **sns.get_subscription_attributes(SubscriptionArn=resource.id)["Attributes"]}
    raise LookupError(resource.id)


def _queue(sqs: Any, resource: Resource, _view: View) -> Any:
    found = sqs.get_queue_attributes(QueueUrl=resource.id, AttributeNames=["All"])["Attributes"]
    tags = sqs.list_queue_tags(QueueUrl=resource.id).get("Tags", {})
    return {
        **found,
        "QueueName": found["QueueArn"].rsplit(":", 1)[1],
        "MessageRetentionPeriod": found.get("MessageRetentionPeriod"),
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
    }


def _queue_policy(sqs: Any, resource: Resource, _view: View) -> Any:
    queues = resource.properties["Queues"]
    found = [
        sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["Policy"])["Attributes"].get("Policy")
        for queue in queues
    ]
    return {"Queues": queues, "PolicyDocument": found[0]} if found[0] else None


def _event_rule(events: Any, resource: Resource, _view: View) -> Any:
    bus = resource.properties.get("EventBusName") or "default"
    name = resource.id.rsplit("|", 1)[-1].rsplit("/", 1)[-1]
    found = events.describe_rule(Name=name, EventBusName=bus)
    targets = events.list_targets_by_rule(Rule=name, EventBusName=bus)["Targets"]
    return {**found, "Targets": targets, "EventBusName": bus}


def _canary(synthetics: Any, resource: Resource, _view: View) -> Any:
    for found in synthetics.describe_canaries()["Canaries"]:
        if found["Name"] == resource.id:
            return found
    raise LookupError(resource.id)


described("AWS::Logs::LogGroup", "logs", _log_group)
described("AWS::Logs::MetricFilter", "logs", _metric_filter)
described("AWS::Logs::SubscriptionFilter", "logs", _subscription)
described(
    "AWS::Logs::ResourcePolicy", "logs", _in_pages("describe_resource_policies", "resourcePolicies", "policyName")
)
described("AWS::Logs::DeliverySource", "logs", _delivery_source)
described("AWS::Logs::DeliveryDestination", "logs", _delivery_destination)
described("AWS::Logs::Delivery", "logs", _delivery)
described("AWS::CloudWatch::Alarm", "cloudwatch", _alarm)
described("AWS::CloudWatch::CompositeAlarm", "cloudwatch", _alarm)
described("AWS::CloudWatch::Dashboard", "cloudwatch", _dashboard)
described("AWS::Synthetics::Canary", "synthetics", _canary)
described("AWS::Events::Rule", "events", _event_rule)
described("AWS::Events::EventBus", "events", lambda events, r, _v: events.describe_event_bus(Name=r.id))
described("AWS::Events::Connection", "events", lambda events, r, _v: events.describe_connection(Name=r.id))
described("AWS::Events::ApiDestination", "events", lambda events, r, _v: events.describe_api_destination(Name=r.id))
described(
    "AWS::Scheduler::Schedule",
    "scheduler",
    lambda scheduler, r, _v: scheduler.get_schedule(
        Name=r.id.rsplit("/", 1)[-1], GroupName=r.properties.get("GroupName") or "default"
    ),
)
described(
    "AWS::Scheduler::ScheduleGroup",
    "scheduler",
    lambda scheduler, r, _v: scheduler.get_schedule_group(Name=r.id.rsplit("/", 1)[-1]),
)
described("AWS::SNS::Topic", "sns", _topic)
described("AWS::SNS::TopicPolicy", "sns", _topic_policy)
described("AWS::SNS::Subscription", "sns", _subscribed)
described("AWS::SQS::Queue", "sqs", _queue)
described("AWS::SQS::QueuePolicy", "sqs", _queue_policy)


@check("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm", says="its actions reach topics that exist")
def actions_exist(resource: Resource, view: View) -> None:
    for action in resource.properties.get("AlarmActions") or []:
        if str(action).startswith("arn:aws:sns:"):
            region, account = str(action).split(":")[3:5]
            view.aws.client("sns", account, region).get_topic_attributes(TopicArn=action)


@check("AWS::SQS::Queue", says="carries a message")
def carries(resource: Resource, view: View) -> None:
    if str(resource.properties.get("FifoQueue")).lower() == "true" or view.attached(
        "AWS::Lambda::EventSourceMapping", "EventSourceArn", resource
    ):
        return
    sqs = view.client("sqs", resource)
    text = json.dumps({"rehearsal": resource.logical_id})
    sqs.send_message(QueueUrl=resource.id, MessageBody=text)
    messages = sqs.receive_message(QueueUrl=resource.id, MaxNumberOfMessages=10).get("Messages", [])
    mine = [message for message in messages if message["Body"] == text]
    assert mine, "a message sent to the queue did not come out of it"
    sqs.delete_message(QueueUrl=resource.id, ReceiptHandle=mine[0]["ReceiptHandle"])
