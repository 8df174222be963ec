"""Documents of Systems Manager that nobody can publish."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_ssm as ssm

from constructs import Construct


class PrivateDocuments(Construct):
    """In this account and region no Systems Manager document can be shared with everybody. Deletion leaves it so.

    Control: account.documents.private
    https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-ssm-sharing.html#block-public-access
    """

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        setting = ssm.CfnServiceSetting(
            self, "Resource", setting_id="/ssm/documents/console/public-sharing-permission", setting_value="Disable"
        )
        setting.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
