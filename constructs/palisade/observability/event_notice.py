"""Tells people, in words, that something happened."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import aws_events as events
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs

from constructs import Construct

_PLACEHOLDER = re.compile(r"<(\$[\w.\-\[\]]+)>")


class EventNotice(Construct):
    """Each event of this account that matches ``pattern`` becomes one message to ``topic``.

    ``lines`` are the message; ``<$.detail.eventName>`` in a line stands for that part of the event, or for nothing where
    the event lacks it. What the topic does not take within a day goes to ``undelivered``. With ``reads`` the rule also sees
    CloudTrail events of calls that change nothing. Without ``bus`` the rule hears the account's default bus.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        description: str,
        pattern: Mapping[str, Any],
        lines: Sequence[str],
        topic: sns.ITopic,
        undelivered: sqs.IQueue,
        reads: bool = False,
        bus: str | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        paths: dict[str, str] = {}

        def name(match: re.Match[str]) -> str:
            path = match.group(1)
            variable = re.sub(r"\W+", "_", path).strip("_")
            paths[variable] = path
            return f"<{variable}>"

        template = "\n".join(f'"{_PLACEHOLDER.sub(name, line)}"' for line in lines)
        self.rule = events.CfnRule(
            self,
            "Resource",
            description=description,
            event_bus_name=bus,
            event_pattern=dict(pattern),
            state="ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS" if reads else "ENABLED",
            targets=[
                events.CfnRule.TargetProperty(
                    id="Topic",
                    arn=topic.topic_arn,
                    input_transformer=events.CfnRule.InputTransformerProperty(
                        input_template=template, input_paths_map=paths
                    ),
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=undelivered.queue_arn),
                    retry_policy=events.CfnRule.RetryPolicyProperty(
                        maximum_event_age_in_seconds=86400, maximum_retry_attempts=185
                    ),
                )
            ],
        )
