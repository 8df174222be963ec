"""The timer of an incident, as a Step Functions definition."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks

from constructs import Construct

AFTER_TROUBLE = cdk.Duration.minutes(5)


def incident_timer(scope: Construct, *, lead: lambda_.IFunction, page: lambda_.IFunction) -> sfn.IChainable:
    """Ask ``lead`` what the incident needs, let ``page`` call whom it names, sleep until it wants to be asked again; until done.

    Neither function's failure ends it: each is tried again with growing pauses, then asked anew. An execution of 365 days
    has fewer than 25,000 events, because ``lead`` is asked hourly for a fortnight and daily after that.
    https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
    """
    ask = tasks.LambdaInvoke(
        scope, "Ask", lambda_function=lead, payload_response_only=True, retry_on_service_exceptions=False
    )
    call = tasks.LambdaInvoke(
        scope,
        "Call",
        lambda_function=page,
        input_path="$.page",
        payload_response_only=True,
        retry_on_service_exceptions=False,
        result_path=sfn.JsonPath.DISCARD,
    )
    sleep = sfn.Wait(scope, "Sleep", time=sfn.WaitTime.timestamp_path("$.until"))
    pause = sfn.Wait(scope, "Pause", time=sfn.WaitTime.duration(AFTER_TROUBLE))
    for task in (ask, call):
        task.add_retry(
            errors=["States.ALL"],
            interval=cdk.Duration.seconds(2),
            max_attempts=6,
            backoff_rate=2,
            max_delay=cdk.Duration.minutes(1),
        )
        task.add_catch(pause, errors=["States.ALL"], result_path=sfn.JsonPath.DISCARD)
    pause.next(ask)
    return ask.next(
        sfn.Choice(scope, "Anything")
        .when(sfn.Condition.is_present("$.page"), call.next(sleep))
        .when(sfn.Condition.boolean_equals("$.done", True), sfn.Succeed(scope, "Closed"))
        .otherwise(sleep.next(ask))
    )
