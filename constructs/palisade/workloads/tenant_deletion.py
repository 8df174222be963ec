"""The state machine that deletes one tenant everywhere, step by step, and says so only when nothing is left."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks

from constructs import Construct
from palisade.compute import Function, Placement, StateMachine

ROUNDS = 3
"""How often what turns up again is deleted again before somebody is called."""

_PAUSE = cdk.Duration.minutes(10)
_LONGEST = cdk.Duration.hours(20)
"""Shorter than a day: the next daily sweep begins it anew, and two never work on one tenant."""

_REFUSALS = ["HeldError", "NotAuthorizedError"]


class TenantDeletion(Construct):
    """Puts the tombstone, waits until what was under way has come to rest, counts, deletes and counts again.

    Input: ``{"tenant", "request"}``. ``deleter`` counts and deletes one store at a time, in the order of ``stores``;
    ``clerk`` keeps count, and certifies once every store is empty. A hold stops it before the next batch and ends the
    execution; any other failure is tried again for half an hour, then fails it, of which ``topic`` hears. Begun again, it goes
    on from where it stood.

    https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        deleter: Function,
        clerk: Function,
        stores: Sequence[str],
        key: kms.IKey,
        placement: Placement,
        topic: sns.ITopic,
    ) -> None:
        super().__init__(scope, construct_id)
        self._deleter, self._clerk = deleter, clerk
        at = sfn.JsonPath.string_at
        whose = {"tenant": at("$.tenant"), "request": at("$.request")}
        stopped = self._ask_clerk("Stopped", {"kind": "stopped", **whose}, keep=sfn.JsonPath.DISCARD).next(
            sfn.Succeed(self, "Held")
        )
        begin = sfn.Pass(
            self,
            "Begin",
            parameters={**whose, "rounds": 0, "stores": list(stores)},
        )
        opened = self._ask_clerk("Open", {"kind": "open", **whose}, keep="$.opened")
        drain = sfn.Wait(self, "Drain", time=sfn.WaitTime.timestamp_path("$.opened.drained_at"))
        count = self._every_store("Count", "count")
        counted = self._ask_clerk("Counted", {"kind": "counted", **whose, "counts": at("$.counts")}, keep="$.found")
        delete = self._every_store("Delete", "delete")
        verify = self._every_store("Verify", "count")
        certify = self._ask_clerk(
            "Certify",
            {"kind": "certify", **whose, "counts": at("$.counts"), "rounds": at("$.rounds")},
            keep="$.certified",
        )
        again = sfn.Wait(self, "Pause", time=sfn.WaitTime.duration(_PAUSE))
        count_on = sfn.Pass(
            self,
            "CountOn",
            parameters={**whose, "stores": at("$.stores"), "rounds": at("$.certified.rounds")},
        )
        fail = sfn.Fail(
            self,
            "LeftOver",
            error="LeftOver",
            cause=f"Something of the tenant turned up again {ROUNDS} times: somebody still writes.",
        )
        judge = (
            sfn.Choice(self, "AnythingLeft")
            .when(sfn.Condition.number_equals("$.certified.left", 0), sfn.Succeed(self, "Deleted"))
            .when(sfn.Condition.number_greater_than_equals("$.certified.rounds", ROUNDS), fail)
            .otherwise(again.next(count_on).next(delete))
        )
        for step in (opened, count, counted, delete, verify, certify):
            step.add_catch(stopped, errors=["HeldError"], result_path="$.held")
        chain = begin.next(opened).next(drain).next(count).next(counted).next(delete)
        delete.next(verify).next(certify).next(judge)
        self.machine = StateMachine(
            self,
            "Machine",
            name=name,
            definition=chain,
            key=key,
            placement=placement,
            topic=topic,
            longest=_LONGEST,
        )
        self.machine.allow_invoke(deleter.function, clerk.function)

    def _ask_clerk(self, construct_id: str, payload: dict[str, object], *, keep: str) -> tasks.LambdaInvoke:
        return self._invoke(construct_id, self._clerk, payload, keep=keep)

    def _every_store(self, construct_id: str, phase: str) -> sfn.Map:
        """Call the deleter for one store after the other, each until it is done; their last answers are ``$.counts``."""
        at = sfn.JsonPath.string_at
        fields = ("tenant", "request", "phase", "store", "number", "checkpoint")
        call = self._invoke(
            f"{construct_id}Batches", self._deleter, {name: at(f"$.{name}") for name in fields}, keep="$"
        )
        done = sfn.Choice(self, f"{construct_id}Done").when(
            sfn.Condition.boolean_equals("$.done", True), sfn.Succeed(self, f"{construct_id}Ended")
        )
        each = sfn.Map(
            self,
            construct_id,
            items_path="$.stores",
            item_selector={
                "tenant": at("$.tenant"),
                "request": at("$.request"),
                "phase": phase,
                "store": at("$$.Map.Item.Value"),
                "number": 0,
                "checkpoint": "",
            },
            max_concurrency=1,
            result_path="$.counts",
        )
        each.item_processor(call.next(done.otherwise(call)))
        return each

    def _invoke(
        self, construct_id: str, function: Function, payload: dict[str, object], *, keep: str
    ) -> tasks.LambdaInvoke:
        task = tasks.LambdaInvoke(
            self,
            construct_id,
            lambda_function=function.function,
            payload=sfn.TaskInput.from_object(payload),
            payload_response_only=True,
            result_path=keep,
            # Ours, below, which stop at a refusal.
            retry_on_service_exceptions=False,
        )
        task.add_retry(errors=_REFUSALS, max_attempts=0)
        task.add_retry(
            errors=["States.ALL"],
            interval=cdk.Duration.seconds(15),
            backoff_rate=2.0,
            max_attempts=7,
            max_delay=cdk.Duration.minutes(10),
        )
        return task
