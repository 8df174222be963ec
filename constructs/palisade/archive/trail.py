"""The record of every call to AWS, in every region."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aws_cdk import aws_cloudtrail as cloudtrail

from constructs import Construct
from palisade.acknowledge import acknowledge, in_packs

_MOST_VALUES = 500
"""https://docs.aws.amazon.com/awscloudtrail/latest/userguide/WhatIsCloudTrail-Limits.html"""

_DELIVERY = ["CompleteMultipartUpload", "CreateMultipartUpload", "PutObject", "ReplicateObject", "UploadPart"]


@dataclass(frozen=True, kw_only=True)
class DataEvents:
    """Whose data events are recorded: buckets by the beginning of their names, tables and functions by account and region.

    Deliveries into ``log_buckets`` are left out: recording the trail's own would never end.
    """

    buckets: Sequence[str]
    log_buckets: Sequence[str]
    accounts: Sequence[str]
    regions: Sequence[str]


class Trail(Construct):
    """Records management events, data events and unusual call rates of one account or of a whole organization.

    Log files are encrypted with ``key_arn`` (an alias' ARN will do), signed so that a change shows, and delivered into
    ``bucket_name``, whose policy must name this trail. An organization's trail belongs in its management account, where
    CloudTrail must have trusted access.

    Raises:
        ValueError: more values to select by than CloudTrail takes.

    Control: archive.trail.everywhere

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/creating-trail-organization.html
    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-intro.html
    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/filtering-data-events.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        bucket_name: str,
        key_arn: str,
        data_events: DataEvents,
        of_organization: bool,
    ) -> None:
        super().__init__(scope, construct_id)
        selectors = _selectors(data_events)
        values = sum(map(_count, selectors))
        if values > _MOST_VALUES:
            raise ValueError(
                f"{self.node.path}: {values} values select data events; CloudTrail takes {_MOST_VALUES}. "
                "Give some accounts a deployment of their own."
            )
        self.resource = cloudtrail.CfnTrail(
            self,
            "Resource",
            trail_name=name,
            s3_bucket_name=bucket_name,
            kms_key_id=key_arn,
            is_logging=True,
            is_multi_region_trail=True,
            is_organization_trail=of_organization,
            include_global_service_events=True,
            enable_log_file_validation=True,
            advanced_event_selectors=selectors,
            insight_selectors=[
                cloudtrail.CfnTrail.InsightSelectorProperty(insight_type=kind)
                for kind in ("ApiCallRateInsight", "ApiErrorRateInsight")
            ],
        )
        acknowledge(
            self.resource,
            f"{name}: EventBridge carries the same events to rules within seconds, and the archive's tables answer "
            "questions about the past; a log group would pay for a third copy of every event.",
            *in_packs("CloudTrailCloudWatchLogsEnabled"),
        )


def _selectors(data: DataEvents) -> list[cloudtrail.CfnTrail.AdvancedEventSelectorProperty]:
    field = cloudtrail.CfnTrail.AdvancedFieldSelectorProperty
    log_buckets = [f"arn:aws:s3:::{name}" for name in data.log_buckets]

    def select(
        name: str, category: str, *fields: cloudtrail.CfnTrail.AdvancedFieldSelectorProperty
    ) -> cloudtrail.CfnTrail.AdvancedEventSelectorProperty:
        return cloudtrail.CfnTrail.AdvancedEventSelectorProperty(
            name=name, field_selectors=[field(field="eventCategory", equal_to=[category]), *fields]
        )

    def resources(kind: str) -> cloudtrail.CfnTrail.AdvancedFieldSelectorProperty:
        return field(field="resources.type", equal_to=[kind])

    def everywhere(service: str, kind: str) -> cloudtrail.CfnTrail.AdvancedFieldSelectorProperty:
        return field(
            field="resources.ARN",
            starts_with=[
                f"arn:aws:{service}:{region}:{account}:{kind}" for account in data.accounts for region in data.regions
            ],
        )

    return [
        select("Management", "Management"),
        select(
            "Objects",
            "Data",
            resources("AWS::S3::Object"),
            field(
                field="resources.ARN",
                starts_with=[f"arn:aws:s3:::{name}" for name in data.buckets],
                not_starts_with=log_buckets,
            ),
        ),
        select(
            "Evidence",
            "Data",
            resources("AWS::S3::Object"),
            field(field="resources.ARN", starts_with=log_buckets),
            field(field="eventName", not_equals=_DELIVERY),
        ),
        select("Tables", "Data", resources("AWS::DynamoDB::Table"), everywhere("dynamodb", "table/")),
        select("Functions", "Data", resources("AWS::Lambda::Function"), everywhere("lambda", "function:")),
    ]


def _count(selector: cloudtrail.CfnTrail.AdvancedEventSelectorProperty) -> int:
    fields: Any = selector.field_selectors
    return sum(len(v or []) for f in fields for v in (f.equal_to, f.starts_with, f.not_equals, f.not_starts_with))
