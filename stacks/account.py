"""What holds in every account, whatever runs in it: one stack for each region, the home region's last."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from palisade.account import AccountSettings, ConfigurationRecord, DriftDetection, PrivateDocuments, RegionSettings
from palisade.compute import Placement
from palisade.identity import Directory, ReviewerRole
from palisade.keys import CustomerKey
from palisade.messaging import DeadLetterQueue, EncryptedTopic
from palisade.observability import TROUBLES, ServiceNotices, watch_dead_letters

from constructs import Construct
from stacks.alarms import Alarms
from stacks.base import PalisadeStack
from stacks.keys import Keys
from stacks.log_archive import LogArchiveOrganization
from stacks.names import ACCOUNT_SETTINGS, ORGANIZATION, Log, Names
from stacks.settings import Deployment


class Account(PalisadeStack):
    """The record of configuration, the key of volumes and private documents in one region of ``owner``'s account; in the
    home region also what is set for the whole account, and what notices that a stack of it was changed by hand.

    Made for each of ``deployment.regions``, the home region last, each ``after`` the one before: the first makes the role
    that AWS Config records under, the last names the keys of all. ``stage`` has the keys and
    topics of a stage's account; any other account gets its own.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        deployment: Deployment,
        owner: str,
        region: str,
        archive: LogArchiveOrganization,
        after: Account | None,
        stage: tuple[Keys, Alarms] | None,
    ) -> None:
        home = region == deployment.home.name
        super().__init__(
            scope,
            deployment=deployment,
            owner=owner,
            subject=f"account{Names(deployment).place(region)}",
            account=deployment.owners[owner],
            region=region,
            stateful=True,
        )
        self._owner = owner
        volumes = CustomerKey(
            self,
            "Volumes",
            alias=self.names.key_alias("volumes"),
            description=f"{owner}: volumes for which nobody names a key",
            used_through=["ec2"],
        )
        volumes.allow_auto_scaling()
        PrivateDocuments(self, "Documents")
        record = ConfigurationRecord(
            self,
            "Configuration",
            bucket_name=self.names.delivery_bucket(ORGANIZATION, Log.CONFIG),
            global_resources=home,
        )
        # AWS Config refuses a bucket that it cannot write to, and a role that is not there.
        self.add_stack_dependency(archive)
        if after is None:
            record.recorder.node.add_dependency(self._service_role())
        else:
            self.add_stack_dependency(after)
        if home:
            placement, topic, undelivered = self._means(stage)
            self._set_account(placement)
            self._let_reviews_in()
            DriftDetection(
                self,
                "Drift",
                owner=owner,
                regions=deployment.regions,
                parameters=f"arn:aws:ssm:*:{self.account}:parameter{self.names.parameter('*')}",
                placement=placement,
                topic=topic,
                undelivered=undelivered,
            )

    def _service_role(self) -> iam.CfnServiceLinkedRole:
        role = iam.CfnServiceLinkedRole(
            self,
            "ConfigRole",
            aws_service_name="config.amazonaws.com",
            description="Records the configuration of every resource",
        )
        role.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
        return role

    def _placement(self, log_key: kms.IKey, environment_key: kms.IKey) -> Placement:
        return Placement(
            log_key=log_key,
            environment_key=environment_key,
            log_group_prefix=self.names.log_group("account"),
            log_days=self.deployment.retention.audit_log_days,
        )

    def _means(self, stage: tuple[Keys, Alarms] | None) -> tuple[Placement, sns.ITopic, sqs.IQueue]:
        """Where functions run, whom their alarms tell, and what keeps what could not be told: a stage's, or made here."""
        if stage is not None:
            keys, alarms = stage
            return self._placement(keys.logs.key, keys.secrets.key), alarms.topic, alarms.undelivered
        operations = CustomerKey(
            self,
            "Operations",
            alias=self.names.key_alias("operations"),
            description=f"{self._owner}: logs and environments of functions, alarms",
            used_through=["logs", "lambda", "sns", "sqs"],
        )
        operations.allow_log_groups()
        operations.allow_alarms_and_events()
        key = operations.key
        undelivered = DeadLetterQueue(self, "Undelivered", key=key).queue
        topic = EncryptedTopic(
            self,
            "Alarms",
            key=key,
            name=self.names.operations_topic(self._owner),
            mailboxes=[self.deployment.contacts.operations],
            undelivered=undelivered,
        ).topic
        watch_dead_letters(
            self,
            "UndeliveredNotices",
            queue=undelivered,
            topic=topic,
            meaning="A notice or event did not reach its topic or mailbox.",
        )
        ServiceNotices(
            self,
            "Troubles",
            where=self._owner,
            troubles=[trouble for trouble in TROUBLES if trouble.name == "AwsHealth"],
            topic=topic,
            undelivered=undelivered,
        )
        return self._placement(key, key), topic, undelivered

    def _let_reviews_in(self) -> None:
        deployment, organization = self.deployment, self.deployment.organization
        if organization is None:
            return
        center = organization.identity_center
        ReviewerRole(
            self,
            "Reviewer",
            name=self.names.reviewer,
            reader_arn=f"arn:aws:iam::{deployment.accounts.security}:role/{self.names.review_collector}",
            organization_id=organization.id,
            external_id=self.names.reviews,
            directory=Directory(instance_arn=center.instance_arn, store_id=center.store_id)
            if self._owner == "management"
            else None,
        )

    def _set_account(self, placement: Placement) -> None:
        deployment, contacts = self.deployment, self.deployment.contacts
        account = deployment.owners[self._owner]
        stages = {stage.name for stage in deployment.stages}
        AccountSettings(
            self,
            "Settings",
            placement=placement,
            role_name=self.names.role(ACCOUNT_SETTINGS),
            contacts={
                "SECURITY": contacts.security,
                "OPERATIONS": contacts.operations,
                "BILLING": contacts.billing,
                "PHONE": contacts.phone,
            },
            regions=[
                RegionSettings(
                    region=region,
                    volume_key_arn=self.names.volume_key_arn(account, region),
                    # The network of a stage blocks its own region, with its ways out exempt.
                    block_internet=not (self._owner in stages and region == deployment.home.name),
                )
                for region in deployment.regions
            ],
        )
