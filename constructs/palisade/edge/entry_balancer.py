"""The load balancer that only the stage's CloudFront distribution gets an answer from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns

from constructs import Construct
from palisade.edge.origin_secret import ORIGIN_HEADER


class EntryBalancer(Construct):
    """HTTPS on port 443 and nothing else; whoever does not present an origin secret gets a bare 404.

    CloudFront and the load balancer agree on TLS 1.3 or on TLS 1.2 with forward secrecy and authenticated encryption: AWS
    documents no TLS 1.3 between CloudFront and origins. Requests with malformed headers or of ambiguous length are
    refused. Access and connection logs go to ``log_bucket`` (a name, in the same region, under SSE-S3).

    Controls: ``edge.balancer.tls``, ``edge.balancer.log``, ``edge.balancer.origin-secret``, ``edge.balancer.desync``.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html
    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html#load-balancer-attributes
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        vpc: ec2.IVpc,
        subnets: ec2.SubnetSelection,
        group: ec2.ISecurityGroup,
        certificate: acm.ICertificate,
        log_bucket: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self._name = name
        self.balancer = elb.ApplicationLoadBalancer(
            self,
            "Resource",
            load_balancer_name=name,
            vpc=vpc,
            vpc_subnets=subnets,
            security_group=group,
            internet_facing=True,
            deletion_protection=True,
            drop_invalid_header_fields=True,
            desync_mitigation_mode=elb.DesyncMitigationMode.STRICTEST,
            xff_header_processing_mode=elb.XffHeaderProcessingMode.APPEND,
            waf_fail_open=False,
            http2_enabled=True,
            idle_timeout=cdk.Duration.seconds(60),
        )
        for kind in ("access_logs", "connection_logs"):
            self.balancer.set_attribute(f"{kind}.s3.enabled", "true")
            self.balancer.set_attribute(f"{kind}.s3.bucket", log_bucket)
        self.listener = elb.ApplicationListener(
            self,
            "Listener",
            load_balancer=self.balancer,
            port=443,
            protocol=elb.ApplicationProtocol.HTTPS,
            certificates=[certificate],
            ssl_policy=elb.SslPolicy.TLS13_12_RES_PQ,
            open=False,
            default_action=elb.ListenerAction.fixed_response(404),
        )
        template = self.listener.node.default_child
        assert isinstance(template, elb.CfnListener)
        template.listener_attributes = [
            elb.CfnListener.ListenerAttributeProperty(key=f"routing.http.response.{key}", value=value)
            for key, value in (
                ("server.enabled", "false"),
                ("strict_transport_security.header_value", "max-age=63072000; includeSubDomains; preload"),
                ("x_content_type_options.header_value", "nosniff"),
            )
        ]

    def answer(
        self, construct_id: str, *, path: str, function: lambda_.IFunction, origin_secrets: Sequence[str], priority: int
    ) -> elb.CfnTargetGroup:
        """Let ``function`` answer ``path`` for requests that carry one of ``origin_secrets``; it is health-checked there.

        https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
        """
        stack = cdk.Stack.of(self)
        name = f"{self._name}{path.replace('/', '-')}"
        permission = lambda_.CfnPermission(
            self,
            f"{construct_id}Permission",
            action="lambda:InvokeFunction",
            function_name=function.function_arn,
            principal="elasticloadbalancing.amazonaws.com",
            source_account=stack.account,
            # The group's own ARN would be a circle: it registers the function, which needs the permission first.
            source_arn=f"arn:aws:elasticloadbalancing:{stack.region}:{stack.account}:targetgroup/{name}/*",
        )
        targets = elb.CfnTargetGroup(
            self,
            f"{construct_id}Targets",
            name=name,
            target_type="lambda",
            targets=[elb.CfnTargetGroup.TargetDescriptionProperty(id=function.function_arn)],
            health_check_enabled=True,
            health_check_path=path,
            health_check_interval_seconds=60,
            health_check_timeout_seconds=30,
            healthy_threshold_count=2,
            unhealthy_threshold_count=2,
        )
        targets.add_resource_dependency(permission)
        self._rule(construct_id, path, origin_secrets, priority, type="forward", target_group_arn=targets.ref)
        return targets

    def say(self, construct_id: str, *, path: str, document: str, origin_secrets: Sequence[str], priority: int) -> None:
        """Answer ``path`` with ``document``, a JSON text of at most 1,024 bytes, for requests that carry a secret.

        https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-action-types.html#fixed-response-actions
        """
        self._rule(
            construct_id,
            path,
            origin_secrets,
            priority,
            type="fixed-response",
            fixed_response_config=elb.CfnListenerRule.FixedResponseConfigProperty(
                status_code="200", content_type="application/json", message_body=document
            ),
        )

    def _rule(self, construct_id: str, path: str, origin_secrets: Sequence[str], priority: int, **action: Any) -> None:
        elb.CfnListenerRule(
            self,
            f"{construct_id}Rule",
            listener_arn=self.listener.listener_arn,
            priority=priority,
            conditions=[
                elb.CfnListenerRule.RuleConditionProperty(
                    field="http-header",
                    http_header_config=elb.CfnListenerRule.HttpHeaderConfigProperty(
                        http_header_name=ORIGIN_HEADER, values=list(origin_secrets)
                    ),
                ),
                elb.CfnListenerRule.RuleConditionProperty(
                    field="path-pattern",
                    path_pattern_config=elb.CfnListenerRule.PathPatternConfigProperty(values=[path]),
                ),
            ],
            actions=[elb.CfnListenerRule.ActionProperty(**action)],
        )

    def failure_alarm(self, topic: sns.ITopic) -> cloudwatch.Alarm:
        """An alarm when the load balancer itself fails requests, which an attack would cause first."""
        alarm = cloudwatch.Alarm(
            self,
            "Failures",
            alarm_description=f"{self._name}: the load balancer fails requests",
            metric=self.balancer.metrics.http_code_elb(
                elb.HttpCodeElb.ELB_5XX_COUNT, period=cdk.Duration.minutes(1), statistic="Sum"
            ),
            threshold=20,
            evaluation_periods=3,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(actions.SnsAction(topic))
        return alarm
