"""What GuardDuty and Inspector are asked to watch, the same in one account and in an organization."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

GUARDDUTY_PLANS: Mapping[str, Sequence[str]] = {
    "S3_DATA_EVENTS": (),
    "EKS_AUDIT_LOGS": (),
    "EBS_MALWARE_PROTECTION": (),
    "RDS_LOGIN_EVENTS": (),
    "LAMBDA_NETWORK_LOGS": (),
    "RUNTIME_MONITORING": ("EKS_ADDON_MANAGEMENT", "ECS_FARGATE_AGENT_MANAGEMENT", "EC2_AGENT_MANAGEMENT"),
}
"""Protection plans, each with what it is to install by itself. EKS_RUNTIME_MONITORING is the older half of
RUNTIME_MONITORING, and the two exclude each other.
https://docs.aws.amazon.com/guardduty/latest/ug/guardduty-features-activation-model.html"""

INSPECTOR_SCANS: Sequence[str] = ("EC2", "ECR", "LAMBDA", "LAMBDA_CODE")
"""Code repositories are scanned through an integration that a person authorizes at the repository's host.
https://docs.aws.amazon.com/inspector/latest/user/managing-multiple-accounts.html"""


WITHOUT_MACIE = frozenset({"ap-south-2", "ap-southeast-4", "ca-west-1", "eu-south-2"})
"""Of the regions that a deployment can choose, those where AWS does not offer Macie.
https://docs.aws.amazon.com/general/latest/gr/macie.html"""


def standards(region: str) -> list[str]:
    """The Security Hub standards that every account is held against, as that region names them.

    https://docs.aws.amazon.com/securityhub/latest/userguide/standards-reference.html
    """
    return [
        f"arn:aws:securityhub:{region}::standards/aws-foundational-security-best-practices/v/1.0.0",
        f"arn:aws:securityhub:{region}::standards/cis-aws-foundations-benchmark/v/5.0.0",
    ]
