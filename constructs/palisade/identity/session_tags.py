"""What a person's sessions carry along about the person."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import aws_sso as sso

from constructs import Construct

ATTRIBUTES: Mapping[str, str] = {
    "username": "${path:userName}",
    "email": "${path:emails[primary eq true].value}",
    "team": "${path:enterprise.department}",
}
"""Tag by attribute of the directory's user.
https://docs.aws.amazon.com/singlesignon/latest/userguide/attributesforaccesscontrol.html"""


class SessionTags(Construct):
    """Every session of Identity Center carries ``username``, ``email`` and ``team`` as tags from the directory.

    Policies read them as ``aws:PrincipalTag``; nobody chooses their own. An instance has one such configuration: where it
    was switched on by hand, it must be switched off before the first deployment.
    https://docs.aws.amazon.com/singlesignon/latest/userguide/configure-abac.html
    """

    def __init__(self, scope: Construct, construct_id: str, *, instance_arn: str) -> None:
        super().__init__(scope, construct_id)
        sso.CfnInstanceAccessControlAttributeConfiguration(
            self,
            "Resource",
            instance_arn=instance_arn,
            access_control_attributes=[
                sso.CfnInstanceAccessControlAttributeConfiguration.AccessControlAttributeProperty(
                    key=key,
                    value=sso.CfnInstanceAccessControlAttributeConfiguration.AccessControlAttributeValueProperty(
                        source=[source]
                    ),
                )
                for key, source in ATTRIBUTES.items()
            ],
        )
