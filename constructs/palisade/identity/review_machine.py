"""The course of one access review."""

from __future__ import annotations

from typing import TypeVar

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks

from constructs import Construct
from palisade.compute import Placement, StateMachine

_Task = TypeVar("_Task", bound=sfn.TaskStateBase)
_COURSE = {"period": "$.period", "round": "$.round", "accounts": "$.accounts"}
_LONGEST = cdk.Duration.days(360)
"""A standard execution may last a year."""


class ReviewMachine(Construct):
    """Collects the facts of every account, has them weighed, and tells people until they have signed; then collects again
    once a week until everything that they revoked is gone.

    An account that does not answer after hours of trying is recorded as missing, and the others go on. Each step is recorded
    once, so an execution may be begun again at any time. ``reviewers`` hear of reminders, ``escalations`` of what is overdue.

    https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        collector: lambda_.IFunction,
        steps: lambda_.IFunction,
        reviewers: sns.ITopic,
        escalations: sns.ITopic,
        key: kms.IKey,
        placement: Placement,
    ) -> None:
        super().__init__(scope, construct_id)
        self._collector, self._steps = collector, steps
        self.machine = StateMachine(
            self,
            "Machine",
            name=name,
            definition=self._course(reviewers, escalations),
            key=key,
            placement=placement,
            topic=escalations,
            longest=_LONGEST,
        )
        self.machine.allow_invoke(collector, steps)
        self.machine.component.allow(
            iam.PolicyStatement(
                sid="Tell", actions=["sns:Publish"], resources=[reviewers.topic_arn, escalations.topic_arn]
            ),
            iam.PolicyStatement(
                sid="EncryptMessages",
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=[key.key_arn],
                conditions={"StringEquals": {"kms:ViaService": f"sns.{cdk.Stack.of(self).region}.amazonaws.com"}},
            ),
        )

    def _course(self, reviewers: sns.ITopic, escalations: sns.ITopic) -> sfn.IChainable:
        look = self._step("Look", "look", {**_COURSE})
        told = self._step("Told", "told", {**_COURSE, "mark": "$.mark"})
        collect = self._collect()
        weigh = self._step("Weigh", "weigh", {**_COURSE})
        wait = sfn.Wait(self, "WaitADay", time=sfn.WaitTime.timestamp_path("$.until"))
        tell = {
            "remind": self._tell("Remind", reviewers),
            "escalate": self._tell("Escalate", escalations),
        }
        choice = sfn.Choice(self, "WhatNext")
        for said, state in tell.items():
            choice.when(sfn.Condition.string_equals("$.next", said), state)
            state.next(told)
        choice.when(sfn.Condition.string_equals("$.next", "collect"), collect)
        choice.when(sfn.Condition.string_equals("$.next", "closed"), sfn.Succeed(self, "Closed"))
        choice.otherwise(wait)
        told.next(look)
        wait.next(look)
        opened = self._step("Open", "open", {"period": "$.period"})
        return opened.next(collect).next(weigh).next(look).next(choice)

    def _collect(self) -> sfn.Map:
        which = {"account": "$.account", "period": "$.period", "round": "$.round"}
        begin = self._call("BeginAccount", self._collector, "begin", which, result="$.begun")
        gather = self._call("GatherAccount", self._collector, "gather", {**which, "begun": "$.begun"}, result="$.begun")
        missing = self._call("SayMissing", self._collector, "missing", {**which, "error": "$.error"}, result="$.begun")
        ready = sfn.Choice(self, "AccountReady")
        pause = sfn.Wait(self, "LetReportsBeMade", time=sfn.WaitTime.duration(cdk.Duration.seconds(30)))
        seen = sfn.Succeed(self, "AccountDone")
        ready.when(sfn.Condition.boolean_equals("$.begun.ready", True), seen).otherwise(pause)
        pause.next(gather)
        for step in (begin, gather):
            step.add_catch(missing, errors=["States.ALL"], result_path="$.error")
            step.next(ready)
        missing.next(seen)
        collect = sfn.Map(
            self,
            "CollectAccounts",
            items_path="$.accounts",
            item_selector={"account.$": "$$.Map.Item.Value", "period.$": "$.period", "round.$": "$.round"},
            max_concurrency=5,
            result_path=sfn.JsonPath.DISCARD,
        )
        return collect.item_processor(begin)

    def _tell(self, name: str, topic: sns.ITopic) -> tasks.SnsPublish:
        task = tasks.SnsPublish(
            self,
            name,
            topic=topic,
            subject=sfn.JsonPath.string_at("$.subject"),
            message=sfn.TaskInput.from_json_path_at("$.message"),
            result_path=sfn.JsonPath.DISCARD,
        )
        return _tried_again(task)

    def _step(self, name: str, do: str, given: dict[str, str]) -> tasks.LambdaInvoke:
        return self._call(name, self._steps, do, given, result="$")

    def _call(
        self, name: str, function: lambda_.IFunction, do: str, given: dict[str, str], *, result: str
    ) -> tasks.LambdaInvoke:
        task = tasks.LambdaInvoke(
            self,
            name,
            lambda_function=function,
            payload=sfn.TaskInput.from_object({"do": do, **{f"{key}.$": path for key, path in given.items()}}),
            payload_response_only=True,
            result_path=result,
            retry_on_service_exceptions=False,
        )
        return _tried_again(task)


def _tried_again(task: _Task) -> _Task:
    """Four times more, after a minute, four, sixteen and an hour: long enough for a service to come back."""
    task.add_retry(errors=["States.ALL"], interval=cdk.Duration.minutes(1), backoff_rate=4, max_attempts=4)
    return task
