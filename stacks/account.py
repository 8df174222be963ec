"""What holds in every account, whatever runs in it: one stack for each region, the home region's last."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from palisade.account import AccountSettings, ConfigurationRecord, PrivateDocuments, RegionSettings
from palisade.compute import Placement
from palisade.keys import CustomerKey

from constructs import Construct
from stacks.base import PalisadeStack
from stacks.keys import Keys
from stacks.log_archive import LogArchiveOrganization
from stacks.names import ACCOUNT_SETTINGS, ORGANIZATION, Log
from stacks.settings import Deployment


class Account(PalisadeStack):
    """The record of configuration, the key of volumes and private documents in one region of ``owner``'s account; in the
    home region also what is set for the whole account, in every region.

    Made for each of ``deployment.regions``, the home region last, each ``after`` the one before: the first makes the role
    that AWS Config records under, the last names the keys of all. ``stage`` has the keys of a stage's account.
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
        keys: Keys | None,
    ) -> None:
        home = region == deployment.home.name
        suffix = "" if home else "-recovery" if region == deployment.recovery.name else "-edge"
        super().__init__(
            scope,
            deployment=deployment,
            owner=owner,
            subject=f"account{suffix}",
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
            self._set_account(self._placement(keys))

    def _service_role(self) -> iam.CfnServiceLinkedRole:
        role = iam.CfnServiceLinkedRole(
            self,
            "ConfigRole",
            aws_service_name="config.amazonaws.com",
            description="Records the configuration of every resource",
        )
        role.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
        return role

    def _placement(self, keys: Keys | None) -> Placement:
        if keys is None:
            functions = CustomerKey(
                self,
                "Functions",
                alias=self.names.key_alias("functions"),
                description=f"{self._owner}: logs and environments of functions",
                used_through=["logs", "lambda"],
            )
            functions.allow_log_groups()
            log_key = environment_key = functions.key
        else:
            log_key, environment_key = keys.logs.key, keys.secrets.key
        return Placement(
            log_key=log_key,
            environment_key=environment_key,
            log_group_prefix=self.names.log_group("account"),
            log_days=self.deployment.retention.audit_log_days,
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
