"""Shield Advanced in front of one resource, guided by an alarm that says whether it is well."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_shield as shield

from constructs import Construct


class ShieldProtection(Construct):
    """Protects the resource of ``resource_arn``; ``alarm`` tells Shield when an attack hurts, so that it acts sooner.

    Needs the organization's subscription to Shield Advanced, which is bought by hand (docs/howto/domain.md). The alarm is
    of one metric, without metric math, as Route 53 demands; a health check that called the host could not: its
    checkers speak no TLS 1.3.

    Control: ``edge.shield.protection``

    https://docs.aws.amazon.com/waf/latest/developerguide/ddos-advanced-health-checks.html
    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-creating-values.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        resource_arn: str,
        alarm: cloudwatch.IAlarm | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        stack = cdk.Stack.of(self)
        checks: list[str] = []
        if alarm is not None:
            check = route53.CfnHealthCheck(
                self,
                "Health",
                health_check_config=route53.CfnHealthCheck.HealthCheckConfigProperty(
                    type="CLOUDWATCH_METRIC",
                    alarm_identifier=route53.CfnHealthCheck.AlarmIdentifierProperty(
                        name=alarm.alarm_name, region=stack.region
                    ),
                    insufficient_data_health_status="Healthy",
                ),
            )
            checks.append(f"arn:aws:route53:::healthcheck/{check.attr_health_check_id}")
        shield.CfnProtection(self, "Resource", name=name, resource_arn=resource_arn, health_check_arns=checks or None)
