"""Takes requests for access from a chat, in the security account: a door that believes signatures, and a worker behind it."""

from __future__ import annotations

import json

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_route53_targets as targets
from palisade.acknowledge import acknowledge, in_packs
from palisade.compute import Function, Placement, QueueWorker
from palisade.edge import (
    AclScope,
    ApiDomain,
    ApiFront,
    ApiLogging,
    ServedHost,
    SignedWebhook,
    SigningSecret,
    WebAcl,
)
from palisade.identity import Ground
from palisade.keys import CustomerKey
from palisade.messaging import DeadLetterQueue, EncryptedQueue, EncryptedTopic
from palisade.observability import Alarm, watch_dead_letters

from constructs import Construct
from stacks.access_requests import AccessRequests
from stacks.base import PalisadeStack
from stacks.levels import entering_customer_data
from stacks.log_archive import LogArchiveOrganization
from stacks.names import CHAT, ORGANIZATION, Log, Workflow
from stacks.settings import Chat, ConfigError, Deployment, Job, Organization, Standing, Throttle

_SIGNED_BY = ("X-Slack-Request-Timestamp", "X-Slack-Signature")
_WORKER_SECONDS = 60


class ChatRequests(PalisadeStack):
    """A function that the internet reaches checks the chat's signature and enqueues; another, which it does not reach, acts.

    What people do by chat is marked so in every record. Nobody approves by chat what enters customers' data.

    https://docs.slack.dev/authentication/verifying-requests-from-slack/
    """

    def __init__(
        self,
        scope: Construct,
        *,
        deployment: Deployment,
        organization: Organization,
        chat: Chat,
        archive: LogArchiveOrganization,
        requests: AccessRequests,
    ) -> None:
        super().__init__(
            scope,
            deployment=deployment,
            owner="security",
            subject=CHAT,
            account=deployment.accounts.security,
            stateful=True,
        )
        self.add_stack_dependency(archive)
        self.add_stack_dependency(requests)
        self._chat, self._center = chat, organization.identity_center
        self._key = CustomerKey(
            self,
            "Key",
            alias=self.names.key_alias(CHAT),
            description="requests by chat: the secret that signs them, messages and logs",
            used_through=["lambda", "logs", "secretsmanager", "sns", "sqs"],
        )
        self._key.allow_log_groups()
        self._key.allow_alarms_and_events()
        self._placement = Placement(
            log_key=self._key.key,
            environment_key=self._key.key,
            log_group_prefix=self.names.log_group(CHAT),
            log_days=deployment.retention.audit_log_days,
        )
        undelivered = DeadLetterQueue(self, "Undelivered", key=self._key.key, topics_only=True).queue
        topic = EncryptedTopic(
            self,
            "Operations",
            key=self._key.key,
            name=f"{self.names.prefix}-{CHAT}",
            mailboxes=[deployment.contacts.operations],
            undelivered=undelivered,
            alarms_only=True,
        ).topic
        commands = EncryptedQueue(self, "Commands", key=self._key.key, visibility_seconds=6 * _WORKER_SECONDS)
        receiver = self._receiver(commands)
        worker = self._worker(commands)
        webhook = self._webhook(receiver)
        for queue, construct_id, meaning in (
            (undelivered, "Lost", "An alarm about requests by chat reached nobody."),
            (commands.dead_letters, "Unanswered", "Somebody asked by chat and got no answer."),
        ):
            watch_dead_letters(self, construct_id, queue=queue, topic=topic, meaning=meaning)
        for function, what in ((receiver, "Taking requests by chat"), (worker, "Answering requests by chat")):
            Alarm(
                function,
                "Failing",
                description=f"{what} fails; the command line works all the same. Read the function's log.",
                metric=function.function.metric_errors(period=cdk.Duration.minutes(5), statistic="Sum"),
                threshold=3,
                topic=topic,
            )
        Alarm(
            self,
            "Forged",
            description=(
                "Many requests by chat were refused: the secret was changed on one side only, or somebody tries signatures. "
                "Compare the secret with the chat's, then look into the firewall's log."
            ),
            metric=webhook.api.metric_client_error(period=cdk.Duration.minutes(5), statistic="Sum"),
            threshold=20,
            topic=topic,
        )

    def _receiver(self, commands: EncryptedQueue) -> Function:
        log = self.decision_log(Workflow.CHAT)
        secret = SigningSecret(
            self,
            "Secret",
            name=self.names.chat_secret,
            description="Signs what the chat sends; made there, put here by people",
            key=self._key.key,
        )
        receiver = Function(
            self,
            "Receiver",
            source="receive_chat",
            description="Checks what the chat sends",
            placement=self._placement,
            environment={
                **log.environment,
                "SECRET_ARN": secret.arn,
                "QUEUE_URL": commands.queue.queue_url,
                "WORKSPACE": self._chat.workspace,
            },
            # The chat waits three seconds for an answer, the start of the function included.
            memory_mb=1024,
            role_name=self.names.recorder(Workflow.CHAT),
        )
        log.allow_writing(receiver.component)
        secret.allow_reading(receiver)
        # Not the queue's own grant, which would let the function re-encrypt with the key whatever it likes.
        receiver.component.allow(
            iam.PolicyStatement(sid="Enqueue", actions=["sqs:SendMessage"], resources=[commands.queue.queue_arn]),
            iam.PolicyStatement(
                sid="EnqueueUnderKey",
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=[self._key.arn],
                conditions={"StringEquals": {"kms:EncryptionContext:aws:sqs:arn": commands.queue.queue_arn}},
            ),
        )
        acknowledge(
            receiver.function,
            "receive_chat: the chat waits for its answer and shows whoever asked that there is none.",
            *in_packs("LambdaDLQ", "NIST.800.53.R5", "HIPAA.Security", "Serverless"),
        )
        acknowledge(
            receiver.function,
            "receive_chat: it reaches a queue, a secret and the archive, from an account without a network of its own.",
            *in_packs("LambdaInsideVPC"),
        )
        return receiver

    def _worker(self, commands: EncryptedQueue) -> Function:
        log = self.decision_log(Workflow.ACCESS)
        decider = f"arn:aws:lambda:{self.region}:{self.account}:function:{self.names.access_requests}"
        approvers = {group.job: group.id for group in self._center.groups}.get(
            Job.APPROVER, self.names.permission_set(Job.APPROVER)
        )
        worker = Function(
            self,
            "Worker",
            source="answer_chat",
            description="Does what people of the chat ask for",
            placement=self._placement,
            environment={
                **log.environment,
                "DECIDER": decider,
                "PEOPLE": json.dumps({person.id: person.name for person in self._chat.people}, separators=(",", ":")),
                "LEVELS": " ".join(self._approvals()) or "-none-",
                "HOSTS": " ".join(self._chat.answer_hosts),
                "STORE_ID": self._center.store_id,
                "CENTER_REGION": self._center.region,
                "APPROVERS": approvers,
            },
            timeout_seconds=_WORKER_SECONDS,
            role_name=self.names.chat_speaker,
        )
        log.allow_speaking(worker.component, events=["asked"], deeds=["approve", "deny", "revoke"], through=CHAT)
        store = f"arn:aws:identitystore::{self.deployment.accounts.management}:identitystore/{self._center.store_id}"
        kinds = ("user", "group", "membership")
        worker.component.allow(
            iam.PolicyStatement(sid="Decide", actions=["lambda:InvokeFunction"], resources=[decider]),
            iam.PolicyStatement(
                sid="WhoApproves",
                actions=["identitystore:GetGroupId", "identitystore:GetUserId", "identitystore:IsMemberInGroups"],
                resources=[store, *(f"arn:aws:identitystore:::{kind}/*" for kind in kinds)],
            ),
        )
        acknowledge(
            worker.component.policy,
            "answer_chat: who may be an approver, the directory tells only when it is asked.",
            *(f"AwsSolutions-IAM5[Resource::arn:aws:identitystore:::{kind}/*]" for kind in kinds),
        )
        acknowledge(
            worker.function,
            "answer_chat: what it fails at goes back to its queue, whose dead letters are watched.",
            *in_packs("LambdaDLQ", "NIST.800.53.R5", "HIPAA.Security", "Serverless"),
        )
        acknowledge(
            worker.function,
            "answer_chat: it answers at the chat's own host, from an account without a network of its own.",
            *in_packs("LambdaInsideVPC"),
        )
        QueueWorker(self, "Work", queue=commands.queue, key=self._key.key, function=worker)
        return worker

    def _approvals(self) -> list[str]:
        live = {stage.name: stage.account for stage in self.deployment.stages if stage.standing is Standing.READ_ONLY}
        ground = Ground(prefix=self.names.prefix, region=self.names.home, stages=live)
        chosen = [level.value for level in self._chat.approvals]
        entering = sorted(set(chosen) & set(entering_customer_data(ground)))
        if entering:
            raise ConfigError(
                [
                    f"config/{self.deployment.name}.py: chat.approvals names {', '.join(entering)}, which enters customers' "
                    "data; that is approved under a session of one's own. Drop it."
                ]
            )
        return chosen

    def _webhook(self, receiver: Function) -> SignedWebhook:
        throttle = Throttle()
        served = ServedHost(self, "Host", host=self._chat.host, zone_id=self._chat.hosted_zone_id)
        served.restrict_issuance()
        domain = ApiDomain(self, "Domain", host=self._chat.host, certificate=served.certificate).domain
        served.point_at(targets.ApiGatewayDomain(domain))
        web_acl = WebAcl(
            self,
            "WebAcl",
            name=self.names.chat_web_acl,
            acl_scope=AclScope.REGIONAL,
            requests_per_five_minutes=throttle.rate_per_second * 300 // 2,
            log_bucket=self.names.delivery_bucket(ORGANIZATION, Log.WAF),
        )
        logging = ApiLogging(self, "ApiLogging")
        webhook = SignedWebhook(
            self,
            "Webhook",
            name=f"{self.names.prefix}-{CHAT}",
            description="Requests by chat",
            base_path=CHAT,
            front=ApiFront(
                domain=domain,
                web_acl_arn=web_acl.arn,
                rate_per_second=throttle.rate_per_second,
                burst=throttle.burst,
                log_key=self._key.key,
                log_group_prefix=self.names.log_group("api"),
                log_days=self.deployment.retention.server_log_days,
            ),
        )
        # API Gateway refuses a stage that logs before the account's setting is there.
        webhook.api.deployment_stage.node.add_dependency(logging)
        webhook.receive("commands", receiver.function, headers=_SIGNED_BY)
        return webhook
