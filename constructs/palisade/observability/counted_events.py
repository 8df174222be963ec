"""Metrics out of what functions log."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_logs as logs

from constructs import Construct
from palisade.observability.retained_log_group import RetainedLogGroup


def count_events(
    scope: Construct, construct_id: str, *, log_group: RetainedLogGroup, namespace: str, event: str
) -> cloudwatch.Metric:
    """How many lines of ``event`` came in five minutes; a function in the network needs no way to CloudWatch for it.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntaxForMetricFilters.html
    """
    _filter(scope, construct_id, log_group=log_group, namespace=namespace, event=event, value="1")
    return cloudwatch.Metric(
        namespace=namespace, metric_name=construct_id, statistic="Sum", period=cdk.Duration.minutes(5)
    )


def largest_value(
    scope: Construct, construct_id: str, *, log_group: RetainedLogGroup, namespace: str, event: str, field: str
) -> cloudwatch.Metric:
    """The largest number in ``field`` of any line of ``event`` in a quarter of an hour."""
    _filter(scope, construct_id, log_group=log_group, namespace=namespace, event=event, value=f"$.{field}")
    return cloudwatch.Metric(
        namespace=namespace, metric_name=construct_id, statistic="Maximum", period=cdk.Duration.minutes(15)
    )


def _filter(
    scope: Construct, name: str, *, log_group: RetainedLogGroup, namespace: str, event: str, value: str
) -> None:
    resource = logs.CfnMetricFilter(
        scope,
        name,
        log_group_name=log_group.name,
        filter_pattern=f'{{ $.event = "{event}" }}',
        metric_transformations=[
            logs.CfnMetricFilter.MetricTransformationProperty(
                metric_namespace=namespace, metric_name=name, metric_value=value
            )
        ],
    )
    resource.node.add_dependency(log_group)
