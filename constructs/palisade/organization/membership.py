"""Who an account belongs to, and the credentials that must not exist in it."""

from __future__ import annotations

from palisade.organization.guardrail import PolicyType, Statement, deny, guardrail


@guardrail(PolicyType.SERVICE_CONTROL)
def leaving() -> list[Statement]:
    """No account leaves the organization, closes itself, opens a region or changes who AWS writes to about security.

    Exempt: nobody; the management account does all of this from outside.
    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_examples_general.html
    """
    return [
        deny(
            "Leaving",
            (
                "account:CloseAccount",
                "account:DeleteAlternateContact",
                "account:DisableRegion",
                "account:EnableRegion",
                "organizations:LeaveOrganization",
            ),
        )
    ]


@guardrail(PolicyType.SERVICE_CONTROL)
def root_user() -> list[Statement]:
    """The root user of a member account does nothing at all.

    Exempt: sessions that the management or security account opens for one named task of root (AssumeRoot), which
    CloudTrail records with the person behind them.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-user-privileged-task.html
    """
    return [
        deny(
            "RootUser",
            ("*",),
            when={
                "ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:root"},
                "BoolIfExists": {"aws:AssumedRoot": "false"},
            },
        )
    ]


@guardrail(PolicyType.SERVICE_CONTROL)
def long_lived_credentials() -> list[Statement]:
    """Nobody makes a user, an access key, a password or any other credential that does not end by itself.

    Exempt: nobody; people sign in through IAM Identity Center, and services assume roles.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#bp-users-federation-idp
    """
    return [
        deny(
            "LongLivedCredentials",
            (
                "iam:CreateAccessKey",
                "iam:CreateLoginProfile",
                "iam:CreateServiceSpecificCredential",
                "iam:CreateUser",
                "iam:ResetServiceSpecificCredential",
                "iam:UpdateLoginProfile",
                "iam:UploadSSHPublicKey",
                "iam:UploadSigningCertificate",
                "sts:GetFederationToken",
            ),
        )
    ]
