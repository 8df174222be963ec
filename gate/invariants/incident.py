"""Incidents: everything that is found comes to the intake, and everybody who may be called can be."""

from __future__ import annotations

import json
from collections.abc import Iterator

from assembly import Resource
from assembly.event_pattern import PatternError, seen
from assembly.sample_findings import SAMPLES
from gate.control import control
from gate.world import World, as_list, at, truthy

_TAKES, _CALLS, _LEADS = (f"{source}.handler.handle" for source in ("take_finding", "page_people", "lead_incident"))
_WITH_READS = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"


@control("incident.intake.every-kind", "AWS::Lambda::Function")
def every_kind(function: Resource, world: World) -> Iterator[str]:
    """Every kind of finding comes to the function that makes incidents of them, through a queue that it reads.

    Judged by evaluating the rules' patterns against a sample of each kind. Other functions are passed over.
    Fix: use FindingsIntake.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html
    """
    if function.properties.get("Handler") != _TAKES:
        return
    queues = [
        queue
        for mapping in world.of_type("AWS::Lambda::EventSourceMapping", near=function, same_region=True)
        if world.target(mapping.properties.get("FunctionName"), mapping) == function
        and truthy(mapping.properties.get("Enabled", True))
        for queue in [world.target(mapping.properties.get("EventSourceArn"), mapping)]
        if queue is not None
    ]
    if not queues:
        yield "it reads no queue"
    rules = [
        rule
        for rule in world.of_type("AWS::Events::Rule", near=function, same_region=True)
        if any(world.target(at(target, "Arn"), rule) in queues for target in as_list(rule.properties.get("Targets")))
        # Without reads, an emergency role that only looks is not seen.
        and rule.properties.get("State") == _WITH_READS
    ]
    for kind, sample in SAMPLES.items():
        try:
            known = seen([rule.properties.get("EventPattern") or {} for rule in rules], sample)
        except PatternError as error:
            yield str(error)
            return
        if not known:
            yield f"a finding of {kind} does not come to it"


@control("incident.pages.everyone", "AWS::Lambda::Function")
def everyone(function: Resource, world: World) -> Iterator[str]:
    """Everybody in the rotation has a mailbox of their own at the topic to which the calling function publishes, and what it
    does not take is kept. Other functions are passed over.

    Fix: use Pages, with everybody of deployment.on_call.
    https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html
    """
    if function.properties.get("Handler") != _CALLS:
        return
    topic = world.target(at(function.properties, "Environment", "Variables", "TOPIC_ARN"), function)
    if topic is None or topic.type != "AWS::SNS::Topic":
        yield "it publishes to no topic of this deployment"
        return
    mailed: set[str] = set()
    for one in world.pointing_at(topic, "TopicArn", "AWS::SNS::Subscription"):
        filters = one.properties.get("FilterPolicy") or {}
        named = [str(name) for name in as_list(filters.get("to"))]
        if set(filters) != {"to"} or len(named) != 1:
            yield f"the mailbox {one.properties.get('Endpoint')} does not get what is for one person"
        elif not at(one.properties, "RedrivePolicy", "deadLetterTargetArn"):
            yield f"what {named[0]} cannot be sent is lost"
        else:
            mailed.update(named)
    for leading in world.of_type("AWS::Lambda::Function", near=function, same_region=True):
        if leading.properties.get("Handler") == _LEADS:
            text = str(at(leading.properties, "Environment", "Variables", "ROTATION", default="{}"))
            rotation = json.loads(text)
            for name in sorted({*rotation.get("people", []), *rotation.get("management", [])} - mailed):
                yield f"{name} is called, and has no mailbox"
