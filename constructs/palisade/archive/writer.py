"""Who may write a log into a bucket of the archive: the exact service or role, for exactly these accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

from palisade.keys import CustomerKey

_KEY_USE_BY_DELIVERY = ("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*")


@dataclass(frozen=True, kw_only=True)
class Writer:
    """A principal and what it may do with a bucket and with the key behind it.

    ``prefixes`` are where its objects begin (``AWSLogs/666666666666/``); everything else is refused. ``conditions`` bind
    the principal to accounts and sources. No writer reads, lists objects' contents, changes or deletes.

    ACL conditions are absent on purpose: these buckets have ACLs switched off, and some delivery services then send no
    ACL header, so that the condition would refuse every write.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
    """

    sid: str
    principal: iam.PrincipalBase
    conditions: Mapping[str, Mapping[str, object]]
    prefixes: Sequence[str]
    object_actions: Sequence[str] = ("s3:PutObject",)
    bucket_actions: Sequence[str] = ("s3:GetBucketAcl",)
    key_actions: Sequence[str] = ("kms:Decrypt", "kms:GenerateDataKey*")
    key_conditions: Mapping[str, Mapping[str, object]] | None = None
    """Where the key needs other conditions than the bucket."""

    def allow_bucket(self, bucket: s3.Bucket) -> None:
        """Put the writer's statements into the policy of ``bucket``."""
        bucket.add_to_resource_policy(
            iam.PolicyStatement(
                sid=f"{self.sid}Write",
                principals=[self.principal],
                actions=list(self.object_actions),
                resources=[bucket.arn_for_objects(f"{prefix}*") for prefix in self.prefixes],
                conditions=_plain(self.conditions),
            )
        )
        if self.bucket_actions:
            bucket.add_to_resource_policy(
                iam.PolicyStatement(
                    sid=f"{self.sid}Check",
                    principals=[self.principal],
                    actions=list(self.bucket_actions),
                    resources=[bucket.bucket_arn],
                    conditions=_plain(self.conditions),
                )
            )

    def allow_key(self, key: CustomerKey) -> None:
        """Put the writer's statement into the policy of ``key``."""
        key.resource.add_to_resource_policy(
            iam.PolicyStatement(
                sid=self.sid,
                principals=[self.principal],
                actions=list(self.key_actions),
                resources=["*"],
                conditions=_plain(self.conditions if self.key_conditions is None else self.key_conditions),
            )
        )


def cloudtrail(*, trail_arn: str, prefixes: Sequence[str]) -> Writer:
    """CloudTrail on behalf of exactly one trail.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html
    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-kms-key-policy-for-cloudtrail.html
    """
    return Writer(
        sid="CloudTrail",
        principal=iam.ServicePrincipal("cloudtrail.amazonaws.com"),
        conditions={"StringEquals": {"aws:SourceArn": trail_arn}},
        prefixes=prefixes,
        key_actions=("kms:DescribeKey", "kms:GenerateDataKey*"),
        key_conditions={"StringEquals": {"aws:SourceArn": trail_arn}},
    )


def config(*, accounts: Sequence[str]) -> Writer:
    """AWS Config of ``accounts``, through its service-linked role.

    https://docs.aws.amazon.com/config/latest/developerguide/s3-bucket-policy.html
    """
    return Writer(
        sid="Config",
        principal=iam.ServicePrincipal("config.amazonaws.com"),
        conditions={"StringEquals": {"aws:SourceAccount": list(accounts)}},
        prefixes=[f"AWSLogs/{account}/Config/" for account in accounts],
        bucket_actions=("s3:GetBucketAcl", "s3:ListBucket"),
    )


def vended_logs(*, sid: str, account: str, region: str) -> Writer:
    """The log delivery that VPC flow logs, Resolver, WAF, Network Firewall and CloudFront share, in one region.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-infrastructure-S3.html
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-infrastructure-V2-S3.html
    """
    return Writer(
        sid=sid,
        principal=iam.ServicePrincipal("delivery.logs.amazonaws.com"),
        conditions={
            "StringEquals": {"aws:SourceAccount": account},
            "ArnLike": {"aws:SourceArn": f"arn:aws:logs:{region}:{account}:*"},
        },
        prefixes=[f"AWSLogs/{account}/"],
        bucket_actions=("s3:GetBucketAcl", "s3:ListBucket"),
        key_actions=_KEY_USE_BY_DELIVERY,
    )


def load_balancer(*, account: str, region: str) -> Writer:
    """Application load balancers of one account and region: access, connection and health-check logs.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
    """
    return Writer(
        sid="LoadBalancers",
        principal=iam.ServicePrincipal("logdelivery.elasticloadbalancing.amazonaws.com"),
        conditions={"ArnLike": {"aws:SourceArn": f"arn:aws:elasticloadbalancing:{region}:{account}:loadbalancer/*"}},
        prefixes=[f"AWSLogs/{account}/"],
        bucket_actions=(),
    )


def server_access_logs(*, account: str, source_buckets: str | Sequence[str]) -> Writer:
    """S3 on behalf of buckets of the same account whose ARNs match ``source_buckets``.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html
    """
    return Writer(
        sid="ServerAccessLogs",
        principal=iam.ServicePrincipal("logging.s3.amazonaws.com"),
        conditions={
            "StringEquals": {"aws:SourceAccount": account},
            "ArnLike": {"aws:SourceArn": source_buckets if isinstance(source_buckets, str) else list(source_buckets)},
        },
        prefixes=[""],
        bucket_actions=(),
    )


def role(
    *,
    sid: str,
    role_arn: str,
    key_region: str,
    object_actions: Sequence[str],
    bucket_actions: Sequence[str],
    prefixes: Sequence[str] = ("",),
) -> Writer:
    """A role of another account, which may not exist yet: its account is the principal, the role a condition.

    The key can be used only through S3 of ``key_region``.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalarn
    """
    account = role_arn.split(":")[4]
    return Writer(
        sid=sid,
        principal=iam.AccountPrincipal(account),
        conditions={"ArnEquals": {"aws:PrincipalArn": role_arn}},
        prefixes=prefixes,
        object_actions=object_actions,
        bucket_actions=bucket_actions,
        key_actions=("kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey*"),
        key_conditions={
            "ArnEquals": {"aws:PrincipalArn": role_arn},
            "StringEquals": {"kms:ViaService": f"s3.{key_region}.amazonaws.com"},
        },
    )


def _plain(conditions: Mapping[str, Mapping[str, object]]) -> dict[str, object]:
    return {operator: dict(tests) for operator, tests in conditions.items()}
