"""Queues and topics: TLS only, nothing lost, and senders that can really use the key."""

from __future__ import annotations

from collections.abc import Iterator

from assembly import Resource
from gate.control import control
from gate.policies import Statement, documents
from gate.world import World, at


def _statements(resource: Resource, world: World) -> list[Statement]:
    policy_type, prop = (
        ("AWS::SQS::QueuePolicy", "Queues")
        if resource.type == "AWS::SQS::Queue"
        else ("AWS::SNS::TopicPolicy", "Topics")
    )
    return [
        statement
        for policy in world.pointing_at(resource, prop, policy_type)
        for document in documents(policy, world)
        for statement in document.statements
    ]


@control("messaging.any.tls-only", "AWS::SQS::Queue", "AWS::SNS::Topic")
def tls_only(resource: Resource, world: World) -> Iterator[str]:
    """Nobody sends or reads a message over plain HTTP.

    Fix: add a Deny to everybody with only the condition Bool aws:SecureTransport false.
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-security-best-practices.html
    """
    actions = ("sqs:SendMessage", "sqs:ReceiveMessage") if resource.type == "AWS::SQS::Queue" else ("sns:Publish",)
    for action in actions:
        if not any(
            not statement.allows
            and statement.anyone
            and statement.covers(action)
            and len(statement.conditions) == 1
            and statement.conditions[0].key.lower() == "aws:securetransport"
            and statement.conditions[0].operator == "Bool"
            and statement.conditions[0].values == ("false",)
            for statement in _statements(resource, world)
        ):
            yield f"{action} works over plain HTTP"


@control("messaging.queue.dead-letters", "AWS::SQS::Queue")
def dead_letters(queue: Resource, world: World) -> Iterator[str]:
    """A message that cannot be handled is set aside and kept for 14 days, not tried for ever or lost.

    Fix: set RedrivePolicy with a dead-letter queue of this deployment, whose MessageRetentionPeriod is 1209600.
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
    """
    redrive = queue.properties.get("RedrivePolicy")
    if redrive is None:
        if not _holds_dead_letters(queue, world):
            yield "it has no dead-letter queue"
        elif int(queue.properties.get("MessageRetentionPeriod", 345600)) < 1209600:
            yield f"it keeps failed messages for {queue.properties.get('MessageRetentionPeriod', 345600)} seconds only"
        return
    if world.target(at(redrive, "deadLetterTargetArn"), queue) is None:
        yield "its dead-letter queue is none of this deployment's"
    if int(at(redrive, "maxReceiveCount", default=0)) > 20:
        yield f"a message is tried {redrive['maxReceiveCount']} times"
    if int(queue.properties.get("MessageRetentionPeriod", 345600)) < 3600:
        yield "messages are lost within an hour"


def _holds_dead_letters(queue: Resource, world: World) -> bool:
    for other in world.of_type(
        "AWS::SQS::Queue",
        "AWS::Lambda::Function",
        "AWS::SNS::Subscription",
        "AWS::Events::Rule",
        "AWS::Scheduler::Schedule",
        "AWS::Lambda::EventInvokeConfig",
        "AWS::Lambda::EventSourceMapping",
        near=queue,
    ):
        for part in (
            at(other.properties, "RedrivePolicy", "deadLetterTargetArn"),
            at(other.properties, "DeadLetterConfig"),
            at(other.properties, "DestinationConfig"),
            at(other.properties, "Target", "DeadLetterConfig"),
            [
                target.get("DeadLetterConfig")
                for target in other.properties.get("Targets", [])
                if isinstance(target, dict)
            ],
        ):
            if part is not None and any(
                (one.stack, one.logical_id) == (queue.stack, queue.logical_id) for one in world.targets(part, other)
            ):
                return True
    return False


@control("messaging.topic.senders", "AWS::SNS::Topic")
def topic_senders(topic: Resource, world: World) -> Iterator[str]:
    """The services that publish to an encrypted topic may use its key, or their messages would vanish silently.

    Fix: let each publishing service kms:Decrypt and kms:GenerateDataKey* in the key's policy.
    https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services
    """
    key = world.target(topic.properties.get("KmsMasterKeyId"), topic)
    if key is None or key.type != "AWS::KMS::Key":
        return
    allowed = {
        service
        for document in documents(key, world)
        for statement in document.statements
        if statement.allows and statement.covers("kms:GenerateDataKey") and statement.covers("kms:Decrypt")
        for service in statement.services
    }
    for statement in _statements(topic, world):
        if statement.allows and statement.covers("sns:Publish"):
            for service in statement.services:
                if service not in allowed:
                    yield f"{service} may publish but not use the key {key.path}"


@control("messaging.subscription.private", "AWS::SNS::Subscription")
def subscription(resource: Resource, world: World) -> Iterator[str]:
    """Messages go out over TLS, from topics of this deployment, and are kept when they cannot be delivered.

    Fix: use https, name the topic, and give a RedrivePolicy.
    https://docs.aws.amazon.com/sns/latest/dg/sns-security-best-practices.html
    """
    if world.target(at(resource.properties, "RedrivePolicy", "deadLetterTargetArn"), resource) is None:
        yield "messages that cannot be delivered are lost"
    if resource.properties.get("Protocol") == "http":
        yield "messages go out in plain text"
    if world.target(resource.properties.get("TopicArn"), resource) is None:
        yield "its topic is none of this deployment's"


@control("messaging.bus.callers", "AWS::Events::EventBusPolicy")
def bus(policy: Resource, _world: World) -> Iterator[str]:
    """An event bus takes events from this deployment only.

    Fix: name the accounts or the organization.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-bus-perms.html
    """
    if policy.properties.get("Principal") == "*" and "Condition" not in policy.properties:
        yield "anybody may send events"
