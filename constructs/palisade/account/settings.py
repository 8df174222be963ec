"""What an account is told once, and EC2 in each of its regions, where CloudFormation has no type that would do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from constructs import Construct
from palisade.acknowledge import acknowledge
from palisade.compute import CustomResource, Placement

PASSWORDS: Mapping[str, int | bool] = {
    "MinimumPasswordLength": 16,
    "MaxPasswordAge": 90,
    "PasswordReusePrevention": 24,
    "RequireLowercaseCharacters": True,
    "RequireUppercaseCharacters": True,
    "RequireNumbers": True,
    "RequireSymbols": True,
    "AllowUsersToChangePassword": True,
}
"""What the password of an IAM user must be, should there ever be one; ages in days.
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords_account-policy.html"""


@dataclass(frozen=True, kw_only=True)
class RegionSettings:
    """A region, the key of volumes for which nobody names one (an alias' ARN), and whether its VPCs are cut off from the
    internet, which suits every region without a network of ours."""

    region: str
    volume_key_arn: str
    block_internet: bool


class AccountSettings(Construct):
    """Sets password policy, contacts and the block of public buckets of the account; and in each region encryption of new
    volumes, tokens for the metadata of new machines, no public snapshots and images, no serial console.

    ``contacts`` are mailboxes by ``SECURITY``, ``OPERATIONS`` and ``BILLING``, and ``PHONE``. The keys must exist before.
    Settings that a declarative policy of the organization owns are left to it, which is why snapshots are not set by
    CloudFormation's own type: it would fail there. Deleting the stack leaves everything in place.

    Controls: account.passwords.strong, account.volumes.encrypted, account.contacts.present, storage.account.no-public-access
    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_declarative.html
    https://docs.aws.amazon.com/ebs/latest/userguide/encryption-by-default.html
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/configuring-block-public-access-account.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        placement: Placement,
        role_name: str,
        contacts: Mapping[str, str],
        regions: Sequence[RegionSettings],
    ) -> None:
        super().__init__(scope, construct_id)
        account = cdk.Stack.of(self).account
        settings = CustomResource(
            self,
            "Resource",
            source="apply_account_settings",
            description="Sets what belongs to the whole account",
            placement=placement,
            properties={
                "AccountId": account,
                "PasswordPolicy": dict(PASSWORDS),
                "Contacts": dict(contacts),
                "Regions": [
                    {"Region": one.region, "VolumeKey": one.volume_key_arn, "BlockInternet": one.block_internet}
                    for one in regions
                ],
            },
            statements=[
                iam.PolicyStatement(
                    sid="SetAccount",
                    actions=["iam:UpdateAccountPasswordPolicy", "s3:PutAccountPublicAccessBlock"],
                    resources=["*"],
                ),
                iam.PolicyStatement(
                    sid="SetContacts",
                    actions=["account:PutAlternateContact"],
                    resources=[f"arn:aws:account::{account}:account"],
                ),
                iam.PolicyStatement(
                    sid="SetRegions",
                    actions=[
                        "ec2:DescribeVpcBlockPublicAccessOptions",
                        "ec2:DisableSerialConsoleAccess",
                        "ec2:EnableEbsEncryptionByDefault",
                        "ec2:EnableImageBlockPublicAccess",
                        "ec2:EnableSnapshotBlockPublicAccess",
                        "ec2:GetEbsEncryptionByDefault",
                        "ec2:GetImageBlockPublicAccessState",
                        "ec2:GetInstanceMetadataDefaults",
                        "ec2:GetSerialConsoleAccessStatus",
                        "ec2:GetSnapshotBlockPublicAccessState",
                        "ec2:ModifyEbsDefaultKmsKeyId",
                        "ec2:ModifyInstanceMetadataDefaults",
                        "ec2:ModifyVpcBlockPublicAccessOptions",
                    ],
                    resources=["*"],
                    conditions={"StringEquals": {"aws:RequestedRegion": [one.region for one in regions]}},
                ),
            ],
            role_name=role_name,
        )
        acknowledge(
            settings.function.component.policy.node.find_child("Resource"),
            "apply_account_settings: settings of an account or region have no ARN that a policy could name.",
            "AwsSolutions-IAM5[Resource::*]",
        )
