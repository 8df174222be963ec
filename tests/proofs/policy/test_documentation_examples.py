"""The worked examples of the IAM, Organizations and KMS guides, told again in our own words and names."""

from __future__ import annotations

from typing import Any

import pytest

from proofs.policy import lines

CARLOS = "arn:aws:iam::123456789012:user/carlos"
CARLOS_ELSEWHERE = "arn:aws:iam::111111111111:user/carlos"


def _decide(request: dict[str, Any], **policies: Any) -> str:
    return lines.decide({"request": request, **policies}).decision


def _document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


class TestCarlosInOneAccount:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html"""

    IDENTITY = _document(
        {"Effect": "Allow", "Action": ["s3:GetBucketLocation", "s3:ListAllMyBuckets"], "Resource": "arn:aws:s3:::*"},
        {"Effect": "Allow", "Action": "s3:*", "Resource": ["arn:aws:s3:::carlos/*", "arn:aws:s3:::carlos"]},
        {"Sid": "DenyLogs", "Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::*log*"},
    )
    BUCKET = _document(
        {
            "Effect": "Allow",
            "Principal": {"AWS": CARLOS},
            "Action": "s3:*",
            "Resource": ["arn:aws:s3:::carlos/*", "arn:aws:s3:::carlos"],
        }
    )

    def test_saving_among_logs_is_denied_by_his_own_policy(self) -> None:
        request = {"principal": CARLOS, "action": "s3:PutObject", "resource": "arn:aws:s3:::carlos-logs/file"}
        decision = lines.decide({"request": request, "identity_policies": [self.IDENTITY]})
        assert decision.decision == "ExplicitlyDenied"
        assert [reason.sid for reason in decision.decided_by] == ["DenyLogs"]

    @pytest.mark.parametrize(("identity", "bucket"), [(True, True), (True, False), (False, True)])
    def test_saving_in_his_bucket_needs_one_of_the_two_policies(self, identity: bool, bucket: bool) -> None:
        request = {"principal": CARLOS, "action": "s3:PutObject", "resource": "arn:aws:s3:::carlos/file"}
        identity_policies = [self.IDENTITY] if identity else []
        assert (
            _decide(request, identity_policies=identity_policies, resource_policy=self.BUCKET if bucket else None)
            == "Allowed"
        )


class TestCarlosAcrossAccounts:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html"""

    IDENTITY = _document(
        {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"},
        {"Effect": "Allow", "Action": "s3:*Object*", "Resource": "arn:aws:s3:::production/*"},
        {"Effect": "Deny", "Action": "s3:*", "Resource": ["arn:aws:s3:::*log*", "arn:aws:s3:::*log*/*"]},
    )
    BUCKET = _document(
        {
            "Effect": "Allow",
            "Principal": {"AWS": CARLOS_ELSEWHERE},
            "Action": ["s3:GetObject*", "s3:PutObject*", "s3:ReplicateObject", "s3:RestoreObject"],
            "Resource": "arn:aws:s3:::production/*",
        }
    )

    @pytest.mark.parametrize(
        ("action", "resource", "expected"),
        [
            ("s3:PutObject", "arn:aws:s3:::production-logs/file", "ExplicitlyDenied"),
            ("s3:PutObject", "arn:aws:s3:::production/file", "Allowed"),
            ("s3:DeleteObject", "arn:aws:s3:::production/file", "ImplicitlyDenied"),
            ("s3:ListBucket", "arn:aws:s3:::production", "ImplicitlyDenied"),
        ],
    )
    def test_both_accounts_must_allow(self, action: str, resource: str, expected: str) -> None:
        request = {
            "principal": CARLOS_ELSEWHERE,
            "action": action,
            "resource": resource,
            "resource_account": "222222222222",
        }
        bucket = self.BUCKET if "logs" not in resource else None
        assert _decide(request, identity_policies=[self.IDENTITY], resource_policy=bucket) == expected


class TestExplicitAndImplicitDeny:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_AccessPolicyLanguage_Interplay.html"""

    @pytest.mark.parametrize(
        ("action", "expected"),
        [
            ("iam:GetUser", "Allowed"),
            ("iam:ListRoles", "Allowed"),
            ("iam:CreatePolicy", "ImplicitlyDenied"),
            ("iam:GetOrganizationsAccessReport", "ExplicitlyDenied"),
            ("iam:GenerateCredentialReport", "ExplicitlyDenied"),
        ],
    )
    def test_one_policy_shows_all_three(self, action: str, expected: str) -> None:
        policy = _document(
            {"Sid": "AllowGetList", "Effect": "Allow", "Action": ["iam:Get*", "iam:List*"], "Resource": "*"},
            {"Sid": "DenyReports", "Effect": "Deny", "Action": "iam:*Report", "Resource": "*"},
        )
        request = {"principal": CARLOS, "action": action, "resource": "*"}
        assert _decide(request, identity_policies=[policy]) == expected


class TestImplicitDeniesBesideAResourcePolicy:
    """The table "Resource-based policies and implicit denies in other policy types (same account)".

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
    """

    USER = "arn:aws:iam::111122223333:user/exampleuser"
    ROLE = "arn:aws:iam::111122223333:role/examplerole"
    SESSION = "arn:aws:sts::111122223333:assumed-role/examplerole/examplesession"
    FEDERATED = "arn:aws:sts::111122223333:federated-user/exampleuser"
    ROOT = "arn:aws:iam::111122223333:root"

    @pytest.mark.parametrize(
        ("principal", "named", "issuer", "expected"),
        [
            (SESSION, ROLE, None, "ImplicitlyDenied"),
            (SESSION, SESSION, None, "Allowed"),
            (USER, USER, None, "Allowed"),
            (FEDERATED, USER, USER, "ImplicitlyDenied"),
            (FEDERATED, FEDERATED, USER, "Allowed"),
            (ROOT, ROOT, None, "Allowed"),
        ],
    )
    def test_who_is_named_decides_whether_silence_elsewhere_matters(
        self, principal: str, named: str, issuer: str | None, expected: str
    ) -> None:
        silent = _document({"Effect": "Allow", "Action": "ec2:*", "Resource": "*"})
        bucket = _document({"Effect": "Allow", "Principal": {"AWS": named}, "Action": "s3:*", "Resource": "*"})
        session = silent if ":sts:" in principal else None
        request = {
            "principal": principal,
            "action": "s3:GetObject",
            "resource": "arn:aws:s3:::b/k",
            "session_issuer": issuer,
        }
        decision = _decide(
            request,
            identity_policies=[silent],
            permission_boundaries=[silent],
            session_policy=session,
            resource_policy=bucket,
        )
        assert decision == expected

    def test_a_service_named_needs_nothing_else(self) -> None:
        bucket = _document(
            {
                "Effect": "Allow",
                "Principal": {"Service": "delivery.logs.amazonaws.com"},
                "Action": "s3:*",
                "Resource": "*",
            }
        )
        request = {"principal": "delivery.logs.amazonaws.com", "action": "s3:PutObject", "resource": "arn:aws:s3:::b/k"}
        assert _decide(request, resource_policy=bucket) == "Allowed"


class TestPermissionsBoundaries:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html"""

    SHIRLEY = "arn:aws:iam::123456789012:user/shirley"
    BOUNDARY = _document({"Effect": "Allow", "Action": ["s3:*", "cloudwatch:*", "ec2:*"], "Resource": "*"})

    def test_a_permission_outside_the_boundary_has_no_effect(self) -> None:
        policy = {
            "Version": "2012-10-17",
            "Statement": {"Effect": "Allow", "Action": "iam:CreateUser", "Resource": "*"},
        }
        request = {
            "principal": self.SHIRLEY,
            "action": "iam:CreateUser",
            "resource": "arn:aws:iam::123456789012:user/new",
        }
        decision = lines.decide(
            {"request": request, "identity_policies": [policy], "permission_boundaries": [self.BOUNDARY]}
        )
        assert decision.decision == "ImplicitlyDenied"
        assert [reason.policy for reason in decision.decided_by] == ["permissions boundary"]

    def test_the_boundary_alone_gives_nothing(self) -> None:
        request = {"principal": self.SHIRLEY, "action": "s3:ListAllMyBuckets", "resource": "*"}
        assert _decide(request, permission_boundaries=[self.BOUNDARY]) == "ImplicitlyDenied"

    COMPANY = _document(
        {"Effect": "Allow", "Action": ["s3:*", "cloudwatch:*", "ec2:*", "dynamodb:*"], "Resource": "*"},
        {"Effect": "Allow", "Action": ["iam:ListUsers", "iam:GetAccountPasswordPolicy"], "Resource": "*"},
        {
            "Effect": "Allow",
            "Action": ["iam:*AccessKey*", "iam:ChangePassword", "iam:GetUser"],
            "Resource": "arn:aws:iam::*:user/${aws:username}",
        },
        {"Effect": "Deny", "Action": "s3:*", "Resource": ["arn:aws:s3:::logs", "arn:aws:s3:::logs/*"]},
        {"Effect": "Deny", "Action": "ec2:*", "Resource": "arn:aws:ec2:*:*:instance/i-1234567890abcdef0"},
    )

    @pytest.mark.parametrize(
        ("action", "resource", "expected"),
        [
            ("dynamodb:GetItem", "arn:aws:dynamodb:eu-west-2:123456789012:table/t", "Allowed"),
            ("iam:CreateAccessKey", "arn:aws:iam::123456789012:user/shirley", "Allowed"),
            ("iam:CreateAccessKey", "arn:aws:iam::123456789012:user/zhang", "ImplicitlyDenied"),
            ("iam:CreateRole", "arn:aws:iam::123456789012:role/r", "ImplicitlyDenied"),
            ("s3:GetObject", "arn:aws:s3:::logs/x", "ExplicitlyDenied"),
            ("s3:GetObject", "arn:aws:s3:::other/x", "Allowed"),
            (
                "ec2:StopInstances",
                "arn:aws:ec2:eu-west-2:123456789012:instance/i-1234567890abcdef0",
                "ExplicitlyDenied",
            ),
            ("ec2:StopInstances", "arn:aws:ec2:eu-west-2:123456789012:instance/i-2", "Allowed"),
        ],
    )
    def test_delegated_users_stay_within_the_company_boundary(self, action: str, resource: str, expected: str) -> None:
        everything = _document({"Effect": "Allow", "Action": "*", "Resource": "*"})
        request = {"principal": self.SHIRLEY, "action": action, "resource": resource}
        assert _decide(request, identity_policies=[everything], permission_boundaries=[self.COMPANY]) == expected

    @pytest.mark.parametrize(
        ("boundary", "expected"),
        [("XCompanyBoundaries", "Allowed"), ("Other", "ImplicitlyDenied"), (None, "ImplicitlyDenied")],
    )
    def test_a_delegate_creates_users_only_with_the_boundary(self, boundary: str | None, expected: str) -> None:
        wanted = "arn:aws:iam::123456789012:policy/XCompanyBoundaries"
        delegate = _document(
            {
                "Effect": "Allow",
                "Action": "iam:CreateUser",
                "Resource": "*",
                "Condition": {"StringEquals": {"iam:PermissionsBoundary": wanted}},
            }
        )
        context = {"iam:PermissionsBoundary": f"arn:aws:iam::123456789012:policy/{boundary}" if boundary else None}
        request = {"principal": "arn:aws:iam::123456789012:user/zhang", "action": "iam:CreateUser", "context": context}
        request["resource"] = "arn:aws:iam::123456789012:user/new"
        everything = _document({"Effect": "Allow", "Action": "iam:*", "Resource": "*"})
        assert _decide(request, identity_policies=[everything], permission_boundaries=[delegate]) == expected


class TestConditionExamples:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html"""

    def _launch(self, operator: str, context: dict[str, Any]) -> str:
        statement = {"Effect": "Allow", "Action": "ec2:RunInstances", "Resource": "*"}
        statement["Condition"] = {operator: {"ec2:InstanceType": ["t1.*", "t2.*", "m3.*"]}}  # type: ignore[assignment]
        request = {"principal": CARLOS, "action": "ec2:RunInstances", "resource": "*", "context": context}
        return _decide(request, identity_policies=[_document(statement)])

    def test_launching_also_touches_resources_without_instance_type(self) -> None:
        assert self._launch("StringLike", {}) == "ImplicitlyDenied"
        assert self._launch("StringLikeIfExists", {}) == "Allowed"
        assert self._launch("StringLikeIfExists", {"ec2:InstanceType": "t2.micro"}) == "Allowed"
        assert self._launch("StringLikeIfExists", {"ec2:InstanceType": "x1.32xlarge"}) == "ImplicitlyDenied"

    @pytest.mark.parametrize(("temporary", "expected"), [(True, "ImplicitlyDenied"), (False, "Allowed")])
    def test_null_tells_temporary_credentials(self, temporary: bool, expected: str) -> None:
        condition = {"Null": {"aws:TokenIssueTime": "true"}}
        policy = _document({"Effect": "Allow", "Action": "ec2:*", "Resource": "*", "Condition": condition})
        context = {"aws:TokenIssueTime": "2026-01-01T00:00:00Z"} if temporary else {}
        request = {"principal": CARLOS, "action": "ec2:DescribeInstances", "resource": "*", "context": context}
        assert _decide(request, identity_policies=[policy]) == expected

    @pytest.mark.parametrize(
        ("prefix", "expected"),
        [("", "Allowed"), ("home/", "Allowed"), ("home/carlos/", "Allowed"), ("home/ana/", "ImplicitlyDenied")],
    )
    def test_a_home_directory_in_the_console(self, prefix: str, expected: str) -> None:
        condition = {"StringLike": {"s3:prefix": ["", "home/", "home/${aws:username}/"]}}
        policy = _document(
            {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::b", "Condition": condition}
        )
        request = {"principal": CARLOS, "action": "s3:ListBucket", "resource": "arn:aws:s3:::b"}
        assert _decide({**request, "context": {"s3:prefix": prefix}}, identity_policies=[policy]) == expected


class TestSetOperators:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition_examples-multi-valued-context-keys.html"""

    @pytest.mark.parametrize(
        ("asked", "expected"),
        [
            (["PostDateTime", "Message"], "Allowed"),
            (["PostDateTime", "UserName"], "ImplicitlyDenied"),
            (["ID"], "ImplicitlyDenied"),
        ],
    )
    def test_only_listed_attributes_may_be_read(self, asked: list[str], expected: str) -> None:
        listed = {"dynamodb:Attributes": ["PostDateTime", "Message", "Tags"]}
        condition = {"ForAllValues:StringLike": listed}
        policy = _document({"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": "*", "Condition": condition})
        context = {"dynamodb:Attributes": asked}
        resource = "arn:aws:dynamodb:eu-west-2:123456789012:table/Thread"
        request = {"principal": CARLOS, "action": "dynamodb:GetItem", "resource": resource, "context": context}
        assert _decide(request, identity_policies=[policy]) == expected

    @pytest.mark.parametrize(
        ("asked", "expected"),
        [(["UserName", "Message", "PostDateTime"], "ExplicitlyDenied"), (["UserName"], "Allowed")],
    )
    def test_listed_attributes_may_not_be_written(self, asked: list[str], expected: str) -> None:
        condition = {"ForAnyValue:StringLike": {"dynamodb:Attributes": ["ID", "PostDateTime"]}}
        policy = _document(
            {"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"},
            {"Effect": "Deny", "Action": "dynamodb:PutItem", "Resource": "*", "Condition": condition},
        )
        context = {"dynamodb:Attributes": asked}
        resource = "arn:aws:dynamodb:eu-west-2:123456789012:table/Thread"
        request = {"principal": CARLOS, "action": "dynamodb:PutItem", "resource": resource, "context": context}
        assert _decide(request, identity_policies=[policy]) == expected


class TestNotPrincipal:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html"""

    @pytest.mark.parametrize(
        ("principal", "expected"),
        [
            ("arn:aws:iam::444455556666:user/bob", "Allowed"),
            ("arn:aws:iam::444455556666:user/eve", "ExplicitlyDenied"),
            ("arn:aws:iam::777788889999:user/bob", "ExplicitlyDenied"),
        ],
    )
    def test_everyone_but_bob(self, principal: str, expected: str) -> None:
        bucket = _document(
            {
                "Effect": "Deny",
                "NotPrincipal": {"AWS": ["arn:aws:iam::444455556666:user/bob", "arn:aws:iam::444455556666:root"]},
                "Action": "s3:*",
                "Resource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"],
            },
            {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::b/*"},
        )
        everything = _document({"Effect": "Allow", "Action": "*", "Resource": "*"})
        request = {"principal": principal, "action": "s3:GetObject", "resource": "arn:aws:s3:::b/k"}
        request["resource_account"] = "123456789012"
        assert _decide(request, identity_policies=[everything], resource_policy=bucket) == expected

    @pytest.mark.parametrize(("session", "expected"), [("audit-app", "Allowed"), ("other", "ExplicitlyDenied")])
    def test_everyone_but_one_session(self, session: str, expected: str) -> None:
        role = "444455556666:assumed-role/read-only"
        bucket = _document(
            {
                "Effect": "Deny",
                "NotPrincipal": {
                    "AWS": [
                        f"arn:aws:sts::{role}/audit-app",
                        "arn:aws:iam::444455556666:role/read-only",
                        "arn:aws:iam::444455556666:root",
                    ]
                },
                "Action": "s3:*",
                "Resource": "*",
            },
            {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"},
        )
        everything = _document({"Effect": "Allow", "Action": "*", "Resource": "*"})
        request = {
            "principal": f"arn:aws:sts::{role}/{session}",
            "action": "s3:GetObject",
            "resource": "arn:aws:s3:::b/k",
        }
        request["resource_account"] = "123456789012"
        assert _decide(request, identity_policies=[everything], resource_policy=bucket) == expected


class TestServiceControlPolicies:
    """https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html"""

    FULL = _document({"Effect": "Allow", "Action": "*", "Resource": "*"})
    ADMIN = _document({"Effect": "Allow", "Action": "*", "Resource": "*"})

    @pytest.mark.parametrize(
        ("levels", "expected"),
        [
            (["FULL", "FULL", "FULL"], "Allowed"),
            (["FULL", "S3", "FULL"], "Allowed"),
            (["FULL", "EC2", "FULL"], "ImplicitlyDenied"),
            (["S3", "S3", "EC2"], "ImplicitlyDenied"),
            (["FULL", "DENY", "FULL"], "ExplicitlyDenied"),
        ],
    )
    def test_every_level_from_root_to_account_must_allow(self, levels: list[str], expected: str) -> None:
        known = {
            "FULL": [self.FULL],
            "S3": [_document({"Effect": "Allow", "Action": "s3:*", "Resource": "*"})],
            "EC2": [_document({"Effect": "Allow", "Action": "ec2:*", "Resource": "*"})],
            "DENY": [self.FULL, _document({"Effect": "Deny", "Action": "s3:*", "Resource": "*"})],
        }
        request = {"principal": CARLOS, "action": "s3:GetObject", "resource": "arn:aws:s3:::b/k"}
        chain = [known[level] for level in levels]
        assert _decide(request, identity_policies=[self.ADMIN], service_control_policies=chain) == expected


class TestKeyPolicies:
    """https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html"""

    KEY = "arn:aws:kms:eu-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"

    def test_the_default_statement_lets_identity_policies_decide(self) -> None:
        default = _document(
            {
                "Sid": "Enable IAM User Permissions",
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
                "Action": "kms:*",
                "Resource": "*",
            }
        )
        policy = _document({"Effect": "Allow", "Action": "kms:Decrypt", "Resource": self.KEY})
        request = {"principal": "arn:aws:iam::111122223333:role/app", "action": "kms:Decrypt", "resource": self.KEY}
        assert _decide(request, identity_policies=[policy], resource_policy=default) == "Allowed"
        assert _decide(request, resource_policy=default) == "ImplicitlyDenied"
        assert _decide(request, identity_policies=[policy]) == "ImplicitlyDenied"
