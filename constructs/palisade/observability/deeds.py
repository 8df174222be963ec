"""Deeds that the security team hears of at once: the monitoring list of the CIS AWS Foundations Benchmark, and a few more.

https://docs.aws.amazon.com/securityhub/latest/userguide/cloudwatch-controls.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_CALL = "AWS API Call via CloudTrail"
_SIGN_IN = "AWS Console Sign In via CloudTrail"
_SERVICE = "AWS Service Event via CloudTrail"


@dataclass(frozen=True, kw_only=True)
class Deed:
    """What to look for, what to call it and what to do about it.

    ``control`` is the Security Hub control it answers, where there is one. A ``world_wide`` deed's events appear in
    us-east-1 only. With ``reads`` it includes calls that change nothing. Below ``at_least`` in five minutes it is noise.
    """

    name: str
    title: str
    pattern: Mapping[str, Any]
    advice: str
    control: str | None = None
    world_wide: bool = False
    reads: bool = False
    at_least: int = 1


def _calls(source: str, *names: str) -> dict[str, Any]:
    return {"detail-type": [_CALL], "detail": {"eventSource": [f"{source}.amazonaws.com"], "eventName": list(names)}}


DEEDS: Sequence[Deed] = (
    Deed(
        name="RootUse",
        control="CloudWatch.1",
        title="The root user was used",
        pattern={
            "detail-type": [_CALL, _SIGN_IN],
            "detail": {"userIdentity": {"type": ["Root"], "invokedBy": [{"exists": False}]}},
        },
        advice="Nobody needs root. If it was not a planned emergency, treat the account as taken over.",
        reads=True,
    ),
    Deed(
        name="BreakGlass",
        title="Somebody takes emergency rights",
        # Taking a role counts as reading. Identity Center takes its role with SAML.
        pattern={
            "detail-type": [_CALL],
            "detail": {
                "eventSource": ["sts.amazonaws.com"],
                "eventName": ["AssumeRole", "AssumeRoleWithSAML"],
                "requestParameters": {"roleArn": [{"wildcard": "*-break-glass*"}]},
            },
        },
        advice="Ask that person at once, by telephone. If it is no emergency that you know of, end the role's sessions.",
        reads=True,
    ),
    Deed(
        name="BreakGlassInConsole",
        title="Somebody takes emergency rights in the console",
        pattern={
            "detail-type": [_SIGN_IN],
            "detail": {
                "eventName": ["SwitchRole"],
                "userIdentity": {"arn": [{"wildcard": "*assumed-role/*-break-glass*"}]},
            },
        },
        advice="Ask that person at once, by telephone. If it is no emergency that you know of, end the role's sessions.",
    ),
    Deed(
        name="RefusedCalls",
        control="CloudWatch.2",
        title="Many calls were refused",
        pattern={
            "detail-type": [_CALL],
            "detail": {"errorCode": [{"prefix": "AccessDenied"}, {"wildcard": "*UnauthorizedOperation"}]},
        },
        advice="Somebody or something is trying rights that it lacks. See who in the log group.",
        reads=True,
        at_least=20,
    ),
    Deed(
        name="SignInWithoutMfa",
        control="CloudWatch.3",
        title="Somebody signed in to the console without MFA",
        pattern={
            "detail-type": [_SIGN_IN],
            "detail": {
                "eventName": ["ConsoleLogin"],
                # Federated users prove themselves at their identity provider, and AWS then always says "No" here.
                "userIdentity": {"type": ["IAMUser", "Root"]},
                "additionalEventData": {"MFAUsed": ["No"]},
                "responseElements": {"ConsoleLogin": ["Success"]},
            },
        },
        advice="End the session, give the user MFA or remove the user; people belong in the identity provider.",
    ),
    Deed(
        name="IamChange",
        control="CloudWatch.4",
        title="IAM was changed",
        pattern=_calls(
            "iam",
            "AddUserToGroup",
            "AttachGroupPolicy",
            "AttachRolePolicy",
            "AttachUserPolicy",
            "CreateAccessKey",
            "CreateLoginProfile",
            "CreateOpenIDConnectProvider",
            "CreatePolicy",
            "CreatePolicyVersion",
            "CreateSAMLProvider",
            "CreateUser",
            "DeactivateMFADevice",
            "DeleteGroupPolicy",
            "DeletePolicy",
            "DeletePolicyVersion",
            "DeleteRolePermissionsBoundary",
            "DeleteRolePolicy",
            "DeleteUserPermissionsBoundary",
            "DeleteUserPolicy",
            "DetachGroupPolicy",
            "DetachRolePolicy",
            "DetachUserPolicy",
            "PutGroupPolicy",
            "PutRolePermissionsBoundary",
            "PutRolePolicy",
            "PutUserPermissionsBoundary",
            "PutUserPolicy",
            "SetDefaultPolicyVersion",
            "UpdateAssumeRolePolicy",
            "UpdateLoginProfile",
            "UpdateOpenIDConnectProviderThumbprint",
            "UpdateSAMLProvider",
        ),
        advice="Expected during a deployment, by its role. By anybody else, undo it and ask.",
        world_wide=True,
    ),
    Deed(
        name="TrailChange",
        control="CloudWatch.5",
        title="CloudTrail was changed",
        pattern=_calls(
            "cloudtrail",
            "CreateTrail",
            "DeleteEventDataStore",
            "DeleteTrail",
            "PutEventSelectors",
            "PutInsightSelectors",
            "StopLogging",
            "UpdateTrail",
        ),
        advice="Whoever hides something starts here. Switch logging on again first, then look at that identity.",
    ),
    Deed(
        name="FailedSignIns",
        control="CloudWatch.6",
        title="Console sign-ins failed",
        pattern={
            "detail-type": [_SIGN_IN],
            "detail": {"eventName": ["ConsoleLogin"], "responseElements": {"ConsoleLogin": ["Failure"]}},
        },
        advice="Somebody guesses a password. See which user, and from where, in the log group.",
        at_least=3,
    ),
    Deed(
        name="KeyRemoval",
        control="CloudWatch.7",
        title="An encryption key was disabled or is to be deleted",
        pattern=_calls("kms", "DeleteImportedKeyMaterial", "DisableKey", "DisableKeyRotation", "ScheduleKeyDeletion"),
        advice='What it encrypts becomes unreadable. "aws kms cancel-key-deletion" and "aws kms enable-key" undo it.',
    ),
    Deed(
        name="KeyPolicyChange",
        title="A key's policy or grants were changed",
        # Services make grants all day; people and pipelines put policies.
        pattern=_calls("kms", "PutKeyPolicy"),
        advice="Expected during a deployment. Compare with the template.",
    ),
    Deed(
        name="BucketPolicyChange",
        control="CloudWatch.8",
        title="Access to a bucket was changed",
        pattern=_calls(
            "s3",
            "DeleteAccountPublicAccessBlock",
            "DeleteBucketCors",
            "DeleteBucketEncryption",
            "DeleteBucketLifecycle",
            "DeleteBucketPolicy",
            "DeleteBucketPublicAccessBlock",
            "DeleteBucketReplication",
            "PutAccountPublicAccessBlock",
            "PutBucketAcl",
            "PutBucketCors",
            "PutBucketLifecycle",
            "PutBucketPolicy",
            "PutBucketPublicAccessBlock",
            "PutBucketReplication",
            "PutObjectLockConfiguration",
        ),
        advice="Expected during a deployment, by its role. By anybody else, compare with the template and deploy again.",
    ),
    Deed(
        name="ConfigChange",
        control="CloudWatch.9",
        title="AWS Config was changed",
        pattern=_calls(
            "config",
            "DeleteConfigRule",
            "DeleteConfigurationRecorder",
            "DeleteDeliveryChannel",
            "PutConfigurationRecorder",
            "PutDeliveryChannel",
            "StopConfigurationRecorder",
        ),
        advice="Changes may go unrecorded. Start the recorder again, then look at that identity.",
    ),
    Deed(
        name="SecurityGroupChange",
        control="CloudWatch.10",
        title="A security group was changed",
        pattern=_calls(
            "ec2",
            "AuthorizeSecurityGroupEgress",
            "AuthorizeSecurityGroupIngress",
            "CreateSecurityGroup",
            "DeleteSecurityGroup",
            "ModifySecurityGroupRules",
            "RevokeSecurityGroupEgress",
            "RevokeSecurityGroupIngress",
        ),
        advice="Every rule stands in the network stack. By anybody but the deployment, deploy it again.",
    ),
    Deed(
        name="NetworkAclChange",
        control="CloudWatch.11",
        title="A network ACL was changed",
        pattern=_calls(
            "ec2",
            "CreateNetworkAcl",
            "CreateNetworkAclEntry",
            "DeleteNetworkAcl",
            "DeleteNetworkAclEntry",
            "ReplaceNetworkAclAssociation",
            "ReplaceNetworkAclEntry",
        ),
        advice="By anybody but the deployment, deploy the network stack again.",
    ),
    Deed(
        name="GatewayChange",
        control="CloudWatch.12",
        title="A gateway or an endpoint was changed",
        pattern=_calls(
            "ec2",
            "AttachInternetGateway",
            "CreateCustomerGateway",
            "CreateInternetGateway",
            "CreateNatGateway",
            "CreateVpcEndpoint",
            "DeleteCustomerGateway",
            "DeleteInternetGateway",
            "DeleteNatGateway",
            "DeleteVpcEndpoints",
            "DetachInternetGateway",
            "ModifyVpcEndpoint",
        ),
        advice="A new way in or out of the network. By anybody but the deployment, remove it.",
    ),
    Deed(
        name="RouteTableChange",
        control="CloudWatch.13",
        title="A route was changed",
        pattern=_calls(
            "ec2",
            "CreateRoute",
            "CreateRouteTable",
            "DeleteRoute",
            "DeleteRouteTable",
            "DisassociateRouteTable",
            "ReplaceRoute",
            "ReplaceRouteTableAssociation",
        ),
        advice="Traffic may take another way. By anybody but the deployment, deploy the network stack again.",
    ),
    Deed(
        name="VpcChange",
        control="CloudWatch.14",
        title="A VPC was made, removed, changed or connected to another",
        pattern=_calls(
            "ec2",
            "AcceptVpcPeeringConnection",
            "CreateTransitGatewayVpcAttachment",
            "CreateVpc",
            "CreateVpcPeeringConnection",
            "DeleteFlowLogs",
            "DeleteVpc",
            "DeleteVpcPeeringConnection",
            "ModifyVpcAttribute",
            "RejectVpcPeeringConnection",
        ),
        advice="By anybody but the deployment, undo it and ask.",
    ),
    Deed(
        name="OrganizationChange",
        title="The account's place in the organization was changed",
        pattern={"detail-type": [_CALL, _SERVICE], "detail": {"eventSource": ["organizations.amazonaws.com"]}},
        advice="An account that leaves the organization leaves its guardrails. Ask whoever holds the management account.",
        world_wide=True,
    ),
    Deed(
        name="SnapshotSharing",
        title="A snapshot or an image was shared or made public",
        pattern=_calls("ec2", "ModifyImageAttribute", "ModifySnapshotAttribute"),
        advice="Data may be leaving the account. Take the sharing back, then look at that identity.",
    ),
    Deed(
        name="DatabaseSnapshotSharing",
        title="A database snapshot was shared or exported",
        pattern=_calls("rds", "ModifyDBClusterSnapshotAttribute", "ModifyDBSnapshotAttribute", "StartExportTask"),
        advice="Backups share snapshots with nobody; customer data may be leaving. Take the sharing back and ask.",
    ),
)
