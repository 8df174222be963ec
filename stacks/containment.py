"""Contains incidents in a stage: by hand of responders, at once, and so that it can be taken back."""

from __future__ import annotations

import aws_cdk as cdk
from palisade.acknowledge import acknowledge, in_packs
from palisade.compute import Function, Placement
from palisade.containment import QuarantineGroup, Responses
from palisade.keys import CustomerKey
from palisade.observability import Alarm

from constructs import Construct
from stacks.alarms import Alarms
from stacks.base import StageStack
from stacks.log_archive import LogArchiveStage
from stacks.names import Workflow
from stacks.network import Network
from stacks.settings import EDGE_REGION, Deployment, Stage, Standing
from stacks.users import Users

DISABLED_IN_NEED = ("data", "secrets")
"""Keys that may be switched off. Never those of evidence and backups, nor of logs and messages, which tell what happens."""
DEEDS = ("request", "approve", "undo", "force-undo", "approve-force-undo")
"""What responders say to the function (``contain.containment.DEEDS``)."""


class Containment(StageStack):
    """A function that quarantines, revokes, disables, blocks and isolates, and undoes each; it records every step before and
    after. Whoever holds ``<prefix>-responder`` may ask it, under their own name; what stops the product of a guarded stage
    takes two of them.

    It has a key of its own, and no network: what it contains must not stop it.
    https://docs.aws.amazon.com/whitepapers/latest/aws-security-incident-response-guide/containment.html
    """

    def __init__(
        self,
        scope: Construct,
        *,
        deployment: Deployment,
        stage: Stage,
        network: Network,
        alarms: Alarms,
        archive: LogArchiveStage,
        users: Users | None,
    ) -> None:
        super().__init__(scope, deployment=deployment, stage=stage, subject=Workflow.CONTAINMENT, stateful=True)
        self.add_stack_dependency(archive)
        names = self.names
        key = CustomerKey(
            self,
            "Key",
            alias=names.key_alias(Workflow.CONTAINMENT),
            description=f"{stage.name}: log and environment of containment",
            used_through=["lambda", "logs"],
        )
        key.allow_log_groups()
        log = self.decision_log(Workflow.CONTAINMENT)
        group = QuarantineGroup(
            self, "Quarantine", name=f"{names.prefix}-{stage.name}-quarantine", vpc_id=network.vpc.vpc_id
        )
        here, at_edge = (names.blocked_addresses(stage, edge=edge) for edge in (False, True))
        keys = [names.key_alias(data_class) for data_class in DISABLED_IN_NEED]
        self.responder = Function(
            self,
            "Responder",
            source="contain",
            description="Contains incidents, and undoes it",
            placement=Placement(
                log_key=key.key,
                environment_key=key.key,
                log_group_prefix=names.log_group(Workflow.CONTAINMENT),
                log_days=deployment.retention.audit_log_days,
            ),
            environment={
                **log.environment,
                "STAGE": stage.name,
                "GUARDED": "yes" if stage.standing is Standing.READ_ONLY else "no",
                "BOUNDARY": names.boundary,
                "EMERGENCY_ROLE": names.break_glass,
                "OWN_ROLE": names.recorder(Workflow.CONTAINMENT),
                "VPC": network.vpc.vpc_id,
                "QUARANTINE_GROUP": group.id,
                "KEY_ALIASES": " ".join(keys),
                "BLOCKED_HERE": here,
                "BLOCKED_AT_EDGE": at_edge,
                "USER_POOL": "-" if users is None else users.pool.id,
            },
            timeout_seconds=300,
            name=names.containment,
            role_name=names.recorder(Workflow.CONTAINMENT),
        )
        log.allow_writing(self.responder.component)
        log.allow_reading(self.responder.component)
        Responses(
            vpc_id=network.vpc.vpc_id,
            boundary=names.boundary,
            functions=f"{stage.name}-",
            keys=keys,
            blocked={f"{self.region}:{{account}}:regional": here, f"{EDGE_REGION}:{{account}}:global": at_edge},
            user_pool=None if users is None else users.pool.arn,
        ).allow(self.responder.component)
        log.people(self, "People", name=names.responder, deeds=DEEDS, to=self.responder.function.function_arn)
        Alarm(
            self,
            "Failing",
            description="An act of containment stopped in the middle. Ask again and it goes on; then read the function's log.",
            metric=self.responder.function.metric_errors(period=cdk.Duration.minutes(5), statistic="Sum"),
            threshold=1,
            topic=alarms.security,
        )
        acknowledge(
            self.responder.function,
            f"{stage.name}: responders call the containing function and wait for its answer; the same call again goes on.",
            *in_packs("LambdaDLQ", "NIST.800.53.R5", "HIPAA.Security", "Serverless"),
        )
        acknowledge(
            self.responder.function,
            f"{stage.name}: the containing function must work while the network is what is attacked; it opens no connection into "
            "it.",
            *in_packs("LambdaInsideVPC"),
        )
