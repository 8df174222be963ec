"""What becomes of one grant, step by step."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks

from constructs import Construct

ON_ITS_WAY = ["NotSettledError", "NotYetError"]
"""What ``enforce_access`` raises while it waits for others."""


def grant_definition(scope: Construct, *, enforcer: lambda_.IFunction) -> sfn.IChainable:
    """Opens a grant, waits until it ends, closes it. What cannot be opened is given up and closed; what cannot be closed is
    tried for hours, then fails the execution, which alarms, and the sweep still closes it.

    The input is ``{"grant": ID}``. An execution for a grant that was revoked goes straight to the end, so revoking starts one.
    https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
    """

    def step(construct_id: str, name: str, *, attempts: int, longest: cdk.Duration) -> tasks.LambdaInvoke:
        task = tasks.LambdaInvoke(
            scope,
            construct_id,
            lambda_function=enforcer,
            payload=sfn.TaskInput.from_object({"step": name, "grant": sfn.JsonPath.string_at("$.grant")}),
            payload_response_only=True,
            retry_on_service_exceptions=False,
        )
        task.add_retry(
            errors=ON_ITS_WAY,
            interval=cdk.Duration.seconds(5),
            backoff_rate=1.5,
            max_delay=cdk.Duration.minutes(1),
            max_attempts=20,
        )
        task.add_retry(
            errors=["States.ALL"],
            interval=cdk.Duration.seconds(2),
            backoff_rate=2,
            max_delay=longest,
            max_attempts=attempts,
        )
        return task

    open_ = step("Open", "open", attempts=8, longest=cdk.Duration.minutes(5))
    give_up = step("GiveUp", "give-up", attempts=20, longest=cdk.Duration.minutes(10))
    close = step("Close", "close", attempts=30, longest=cdk.Duration.minutes(10))
    wait = sfn.Wait(scope, "UntilItEnds", time=sfn.WaitTime.timestamp_path("$.until"))
    open_.add_catch(give_up, errors=["States.ALL"], result_path="$.error")
    give_up.next(close)
    lives = sfn.Condition.boolean_equals("$.live", True)
    return open_.next(sfn.Choice(scope, "Lives").when(lives, wait.next(close)).otherwise(close))
