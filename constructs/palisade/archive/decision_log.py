"""The way of a workflow's decisions into the archive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from constructs import Construct
from palisade.acknowledge import acknowledge
from palisade.identity import ComponentRole


@dataclass(frozen=True, kw_only=True)
class DecisionLog:
    """Lets functions write records once into ``bucket_name``, in the archive's account and under the key ``key_alias``.

    The archive admits only roles whose names begin as the workflow's do, so a function that records must be made with such
    a name; what it wrote it can neither replace nor delete.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
    """

    workflow: str
    bucket_name: str
    key_alias: str

    @property
    def environment(self) -> dict[str, str]:
        """What ``palisade_runtime.records`` needs to know."""
        return {"RECORD_BUCKET": self.bucket_name, "RECORD_WORKFLOW": self.workflow}

    def allow_writing(self, component: ComponentRole) -> None:
        """Let ``component`` write records."""
        self._allow(component, "Record", "s3:PutObject", self.workflow)

    def allow_session_writing(self, component: ComponentRole, *, tenant: str, event: str) -> None:
        """Let sessions of ``component`` record events that begin so, of the ``tenant`` (a policy variable) in their tag."""
        stack = cdk.Stack.of(component)
        objects = f"arn:aws:s3:::{self.bucket_name}/{stack.account}/{self.workflow}/{tenant}/{event}*"
        use = self._use_of_key(stack)
        # The context is the bucket, or the object where there is no bucket key.
        use.add_condition("StringLike", {"kms:EncryptionContext:aws:s3:arn": f"arn:aws:s3:::{self.bucket_name}*"})
        component.allow(
            iam.PolicyStatement(sid="RecordOfTheTenant", actions=["s3:PutObject"], resources=[objects]), use
        )
        acknowledge(
            component.policy,
            f"{component.node.path}: records are named as they come, behind the session's tenant, and the archive's key is known "
            "in this account by its alias only.",
            f"AwsSolutions-IAM5[Resource::{objects.replace('${', '<').replace('}', '>')}]",
            self._any_key(stack),
        )

    def allow_speaking(
        self, component: ComponentRole, *, events: Sequence[str], deeds: Sequence[str], through: str
    ) -> None:
        """Let ``component`` record ``events`` and do ``deeds`` for people who came ``through`` it, and mark them so.

        Such a deed is named ``<through>:<person>`` where people's own bear the id of their session: who did it rests on the
        component's code, not on IAM.
        """
        stack = cdk.Stack.of(component)
        objects = [
            *(f"{self.workflow}/*/{event}.json" for event in events),
            *(f"{self.workflow}-deeds/{deed}@*/{through}:*.json" for deed in deeds),
        ]
        self._allow_objects(
            component,
            "Speak",
            "s3:PutObject",
            [f"arn:aws:s3:::{self.bucket_name}/{stack.account}/{one}" for one in objects],
        )

    def allow_reading(self, component: ComponentRole) -> None:
        """Let ``component`` find and read records, and what people say."""
        stack = cdk.Stack.of(component)
        prefixes = [f"{stack.account}/{self.workflow}{what}/*" for what in ("", "-deeds")]
        component.allow(
            iam.PolicyStatement(
                sid="FindRecords",
                actions=["s3:ListBucket"],
                resources=[f"arn:aws:s3:::{self.bucket_name}"],
                conditions={"StringLike": {"s3:prefix": prefixes}},
            )
        )
        self._allow(component, "ReadRecords", "s3:GetObject", self.workflow, f"{self.workflow}-deeds")

    def people(
        self, scope: Construct, construct_id: str, *, name: str, deeds: Sequence[str], to: str
    ) -> iam.ManagedPolicy:
        """A policy ``name`` for permission sets to attach: its holder does ``deeds`` as themselves and nobody else, then
        calls the function ``to`` (an ARN) that looks at them.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
        """
        stack = cdk.Stack.of(scope)
        objects = [
            f"arn:aws:s3:::{self.bucket_name}/{stack.account}/{self.workflow}-deeds/{deed}@*/${{aws:userid}}.json"
            for deed in deeds
        ]
        policy = iam.ManagedPolicy(
            scope,
            construct_id,
            managed_policy_name=name,
            description=f"{self.workflow}: {', '.join(deeds)}, each under one's own name",
            statements=[
                iam.PolicyStatement(sid="SayAsOneself", actions=["s3:PutObject"], resources=objects),
                self._use_of_key(stack),
                iam.PolicyStatement(sid="Call", actions=["lambda:InvokeFunction"], resources=[to]),
            ],
        )
        acknowledge(
            policy,
            f"{policy.node.path}: a deed is named by what it is done to and by the doer's own id, which IAM fills in; "
            "the archive's key is known in this account by its alias only.",
            *(f"AwsSolutions-IAM5[Resource::{one.replace('${aws:userid}', '<aws:userid>')}]" for one in objects),
            self._any_key(stack),
        )
        return policy

    def _allow(self, component: ComponentRole, sid: str, action: str, *folders: str) -> None:
        stack = cdk.Stack.of(component)
        objects = [f"arn:aws:s3:::{self.bucket_name}/{stack.account}/{folder}/*" for folder in folders]
        self._allow_objects(component, sid, action, objects)

    def _allow_objects(self, component: ComponentRole, sid: str, action: str, objects: list[str]) -> None:
        stack = cdk.Stack.of(component)
        component.allow(iam.PolicyStatement(sid=sid, actions=[action], resources=objects), self._use_of_key(stack))
        acknowledge(
            component.policy,
            f"{component.node.path}: records are named as they come, and the archive's key is known in this account by its alias "
            "only.",
            *(f"AwsSolutions-IAM5[Resource::{one}]" for one in objects),
            self._any_key(stack),
        )

    def _use_of_key(self, stack: cdk.Stack) -> iam.PolicyStatement:
        """The use of the archive's key through S3; equal statements of one policy become one."""
        return iam.PolicyStatement(
            sid="UseArchiveKey",
            actions=["kms:Decrypt", "kms:GenerateDataKey"],
            resources=[f"arn:aws:kms:{stack.region}:{self._archive}:key/*"],
            conditions={
                "StringEquals": {"kms:ViaService": f"s3.{stack.region}.amazonaws.com"},
                "ForAnyValue:StringEquals": {"kms:ResourceAliases": self.key_alias},
            },
        )

    def _any_key(self, stack: cdk.Stack) -> str:
        return f"AwsSolutions-IAM5[Resource::arn:aws:kms:{stack.region}:{self._archive}:key/*]"

    @property
    def _archive(self) -> str:
        """The archive's account, which ends its buckets' names."""
        return self.bucket_name.rsplit("-", 1)[-1]
