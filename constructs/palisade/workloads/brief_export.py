"""The state machine that makes an export, waits until its time is over, deletes it and looks whether it is gone."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks

from constructs import Construct
from palisade.compute import Function, Placement, StateMachine

_LONGEST = cdk.Duration.hours(48)
"""A day's wait, and a day in which the deletion is tried again."""


class BriefExport(Construct):
    """Makes an export, and deletes it at ``expires_at`` or at once if it could not be made.

    Input: ``{"export", "tenant", "rows", "expires_at"}``. Each step of ``maker`` is tried again, the deletion for hours; whatever
    fails after that fails the execution, of which ``topic`` hears.

    https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        maker: Function,
        key: kms.IKey,
        placement: Placement,
        topic: sns.ITopic,
    ) -> None:
        super().__init__(scope, construct_id)
        self._maker = maker
        make = self._ask("Make", attempts=4, rows=sfn.JsonPath.string_at("$.rows"))
        keep = sfn.Wait(self, "Keep", time=sfn.WaitTime.timestamp_path("$.expires_at"))
        delete, verify = self._ask("Delete", attempts=20), self._ask("Verify", attempts=20)
        undo, gone = self._ask("DeleteUnmade", attempts=20), self._ask("VerifyUnmade", attempts=20)
        fail = sfn.Fail(self, "Unmade", error="Unmade", cause="The export could not be made; nothing of it is left.")
        make.add_catch(undo.next(gone).next(fail), errors=["States.ALL"], result_path="$.failure")
        self.machine = StateMachine(
            self,
            "Machine",
            name=name,
            definition=make.next(keep).next(delete).next(verify).next(sfn.Succeed(self, "Gone")),
            key=key,
            placement=placement,
            topic=topic,
            longest=_LONGEST,
        )
        self.machine.allow_invoke(maker.function)

    def _ask(self, construct_id: str, *, attempts: int, **more: object) -> tasks.LambdaInvoke:
        at = sfn.JsonPath.string_at
        kind = construct_id.removesuffix("Unmade").lower()
        asked = {name: at(f"$.{name}") for name in ("export", "tenant", "expires_at")}
        task = tasks.LambdaInvoke(
            self,
            construct_id,
            lambda_function=self._maker.function,
            payload=sfn.TaskInput.from_object({"kind": kind, **asked, **more}),
            payload_response_only=True,
            result_path=sfn.JsonPath.DISCARD,
            retry_on_service_exceptions=False,
        )
        task.add_retry(
            errors=["States.ALL"],
            interval=cdk.Duration.seconds(15),
            backoff_rate=2.0,
            max_attempts=attempts,
            max_delay=cdk.Duration.minutes(30),
        )
        return task
