"""How people sign in."""

from __future__ import annotations

from palisade.organization.guardrail import PolicyType, Statement, deny, deny_everyone, guardrail
from palisade.organization.principals import CLOUDFORMATION, FOUNDER, SIGNED_IN, USERS, Deployment


@guardrail(PolicyType.SERVICE_CONTROL)
def multi_factor() -> list[Statement]:
    """A user without multi-factor sign-in does nothing but enrol a device.

    Exempt: sessions of IAM Identity Center, which asks for the second factor itself at every sign-in and leaves no trace of
    it in the session; service and pipeline roles, behind which nobody stands.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-multifactorauthpresent
    """
    return [
        deny(
            "UsersWithoutMfa",
            but=(
                "iam:ChangePassword",
                "iam:CreateVirtualMFADevice",
                "iam:EnableMFADevice",
                "iam:GetAccountPasswordPolicy",
                "iam:GetUser",
                "iam:ListMFADevices",
                "iam:ListVirtualMFADevices",
                "iam:ResyncMFADevice",
                "sts:GetSessionToken",
            ),
            when={
                "ArnLike": {"aws:PrincipalArn": USERS},
                "BoolIfExists": {"aws:MultiFactorAuthPresent": "false"},
            },
        )
    ]


@guardrail(PolicyType.RESOURCE_CONTROL)
def people_roles_with_multi_factor(*, deployment: Deployment) -> list[Statement]:
    """Nobody assumes the founding or the break-glass role without multi-factor sign-in, whatever account they come from.

    Exempt: people whom IAM Identity Center let in, because it asks for the second factor itself.
    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
    """
    return [
        deny_everyone(
            "PeopleRolesWithoutMfa",
            ("sts:AssumeRole",),
            on=(FOUNDER, deployment.break_glass),
            when={
                "ArnNotLike": {"aws:PrincipalArn": SIGNED_IN},
                "BoolIfExists": {"aws:MultiFactorAuthPresent": "false"},
            },
        )
    ]


@guardrail(PolicyType.SERVICE_CONTROL)
def other_sign_in() -> list[Statement]:
    """Nobody opens another way in for people: no identity provider, no instance of IAM Identity Center in a member account.

    Exempt: CloudFormation at work for the pipeline, for providers that a template names.
    https://docs.aws.amazon.com/singlesignon/latest/userguide/control-account-instance.html
    """
    return [
        deny(
            "OtherSignIn",
            (
                "iam:AddClientIDToOpenIDConnectProvider",
                "iam:CreateOpenIDConnectProvider",
                "iam:CreateSAMLProvider",
                "iam:UpdateOpenIDConnectProviderThumbprint",
                "iam:UpdateSAMLProvider",
                "sso:CreateInstance",
            ),
            unless_arn=(CLOUDFORMATION,),
        )
    ]


@guardrail(PolicyType.SERVICE_CONTROL)
def levels_by_grant(*, deployment: Deployment) -> list[Statement]:
    """Nobody assigns a permission set from a member account, nor changes permission sets or who is of which group.

    Exempt: the function that carries grants out, for assignments. An account that administers IAM Identity Center for the
    organization could do all of this; the management account, which guardrails do not bind, does the rest by template.
    https://docs.aws.amazon.com/singlesignon/latest/userguide/delegated-admin.html
    """
    return [
        deny(
            "LevelsByHand",
            ("sso:CreateAccountAssignment", "sso:DeleteAccountAssignment"),
            unless_arn=(deployment.access_enforcer,),
        ),
        deny(
            "PeopleByHand",
            (
                "identitystore:Create*",
                "identitystore:Delete*",
                "identitystore:Update*",
                "sso:Attach*",
                "sso:CreatePermissionSet",
                "sso:DeletePermissionSet",
                "sso:Detach*",
                "sso:ProvisionPermissionSet",
                "sso:Put*",
                "sso:TagResource",
                "sso:UntagResource",
                "sso:Update*",
            ),
        ),
    ]
