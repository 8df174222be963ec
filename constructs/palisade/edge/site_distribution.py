"""The distribution in front of a stage's site and of its load balancer."""

from __future__ import annotations

from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns

from constructs import Construct
from palisade.acknowledge import acknowledge
from palisade.edge.origin_secret import ORIGIN_HEADER


@dataclass(frozen=True, kw_only=True)
class Origins:
    """Where the distribution gets its answers: the site's bucket, and the load balancer for ``balancer_paths``.

    ``secret`` is a reference to the origin secret, which CloudFormation resolves.
    """

    site: s3.IBucket
    balancer_host: str
    balancer_paths: tuple[str, ...]
    secret: str


class SiteDistribution(Construct):
    """Serves ``host`` over TLS 1.3 and HTTP/2 or 3; a request over plain HTTP is refused, not redirected.

    The bucket is read with signed requests (origin access control); the load balancer's paths are never cached, and
    carry the origin secret. Every answer carries the headers of a Mozilla Observatory and SSL Labs A+; ``connect_to`` are
    the origins that scripts of the site may call. Without geographic limits: customers travel.

    Controls: ``edge.distribution.tls``, ``edge.distribution.https-only``, ``edge.distribution.headers``,
    ``edge.distribution.origin-access``, ``edge.distribution.web-acl``.

    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/secure-connections-supported-viewer-protocols-ciphers.html
    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        certificate: acm.ICertificate,
        host: str,
        from_origins: Origins,
        connect_to: list[str],
        web_acl_arn: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self._name = name
        headers = self._headers(connect_to)
        access = cloudfront.S3OriginAccessControl(
            self, "Access", origin_access_control_name=f"{name}-site", signing=cloudfront.Signing.SIGV4_ALWAYS
        )
        site = origins.S3BucketOrigin.with_bucket_defaults(
            from_origins.site, origin_access_control_id=access.origin_access_control_id
        )
        balancer = origins.HttpOrigin(
            from_origins.balancer_host,
            protocol_policy=cloudfront.OriginProtocolPolicy.HTTPS_ONLY,
            origin_ssl_protocols=[cloudfront.OriginSslPolicy.TLS_V1_2],
            custom_headers={ORIGIN_HEADER: from_origins.secret},
        )
        self._site = cloudfront.BehaviorOptions(
            origin=site,
            viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.HTTPS_ONLY,
            allowed_methods=cloudfront.AllowedMethods.ALLOW_GET_HEAD,
            cached_methods=cloudfront.CachedMethods.CACHE_GET_HEAD,
            cache_policy=cloudfront.CachePolicy.CACHING_OPTIMIZED,
            response_headers_policy=headers,
            compress=True,
        )
        self.distribution = cloudfront.Distribution(
            self,
            "Resource",
            comment=name,
            domain_names=[host],
            certificate=certificate,
            minimum_protocol_version=cloudfront.SecurityPolicyProtocol.TLS_V1_3_2025,
            ssl_support_method=cloudfront.SSLMethod.SNI,
            http_version=cloudfront.HttpVersion.HTTP2_AND_3,
            enable_ipv6=True,
            default_root_object="index.html",
            web_acl_id=web_acl_arn,
            price_class=cloudfront.PriceClass.PRICE_CLASS_ALL,
            default_behavior=self._site,
            additional_behaviors={
                path: cloudfront.BehaviorOptions(
                    origin=balancer,
                    viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.HTTPS_ONLY,
                    allowed_methods=cloudfront.AllowedMethods.ALLOW_GET_HEAD,
                    cache_policy=cloudfront.CachePolicy.CACHING_DISABLED,
                    response_headers_policy=headers,
                )
                for path in from_origins.balancer_paths
            },
        )
        self.arn = f"arn:aws:cloudfront::{cdk.Stack.of(self).account}:distribution/{self.distribution.distribution_id}"
        acknowledge(
            self.distribution,
            f"{name}: the product is sold worldwide, so that a country says nothing about a request; and access logs leave "
            "through standard logging v2 (a delivery in this stack), which the distribution's own properties do not show.",
            "AwsSolutions-CFR1",
            "AwsSolutions-CFR3",
        )

    def answer_at_edge(self, pattern: str, function: cloudfront.IFunction) -> None:
        """Let ``function`` look at requests for ``pattern`` first; what it does not answer is looked for in the site."""
        self.distribution.add_behavior(
            pattern,
            self._site.origin,
            viewer_protocol_policy=self._site.viewer_protocol_policy,
            allowed_methods=self._site.allowed_methods,
            cache_policy=self._site.cache_policy,
            response_headers_policy=self._site.response_headers_policy,
            function_associations=[
                cloudfront.FunctionAssociation(
                    function=function, event_type=cloudfront.FunctionEventType.VIEWER_REQUEST
                )
            ],
        )

    def failure_alarm(self, topic: sns.ITopic) -> cloudwatch.Alarm:
        """An alarm when every twentieth answer of the edge is a failure."""
        alarm = cloudwatch.Alarm(
            self,
            "Failures",
            alarm_description=f"{self._name}: the distribution fails requests",
            metric=cloudwatch.Metric(
                namespace="AWS/CloudFront",
                metric_name="5xxErrorRate",
                # Without the second dimension there is no such metric, and the alarm would never ring.
                dimensions_map={"DistributionId": self.distribution.distribution_id, "Region": "Global"},
                period=cdk.Duration.minutes(1),
                statistic="Average",
            ),
            threshold=5,
            evaluation_periods=3,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(actions.SnsAction(topic))
        return alarm

    def _headers(self, connect_to: list[str]) -> cloudfront.ResponseHeadersPolicy:
        content = "; ".join(
            (
                "default-src 'none'",
                "script-src 'self'",
                "style-src 'self'",
                "img-src 'self' data:",
                "font-src 'self'",
                "manifest-src 'self'",
                " ".join(("connect-src 'self'", *connect_to)),
                "form-action 'self'",
                "base-uri 'none'",
                "frame-ancestors 'none'",
            )
        )
        return cloudfront.ResponseHeadersPolicy(
            self,
            "Headers",
            response_headers_policy_name=f"{self._name}-site",
            security_headers_behavior=cloudfront.ResponseSecurityHeadersBehavior(
                strict_transport_security=cloudfront.ResponseHeadersStrictTransportSecurity(
                    access_control_max_age=cdk.Duration.days(730), include_subdomains=True, preload=True, override=True
                ),
                content_security_policy=cloudfront.ResponseHeadersContentSecurityPolicy(
                    content_security_policy=content, override=True
                ),
                content_type_options=cloudfront.ResponseHeadersContentTypeOptions(override=True),
                frame_options=cloudfront.ResponseHeadersFrameOptions(
                    frame_option=cloudfront.HeadersFrameOption.DENY, override=True
                ),
                referrer_policy=cloudfront.ResponseHeadersReferrerPolicy(
                    referrer_policy=cloudfront.HeadersReferrerPolicy.NO_REFERRER, override=True
                ),
            ),
            custom_headers_behavior=cloudfront.ResponseCustomHeadersBehavior(
                custom_headers=[
                    cloudfront.ResponseCustomHeader(header=header, value=value, override=True)
                    for header, value in (
                        ("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
                        ("Cross-Origin-Opener-Policy", "same-origin"),
                        ("Cross-Origin-Resource-Policy", "same-origin"),
                    )
                ]
            ),
            # They tell of storage and, in the key's ARN, of the account.
            remove_headers=[
                "x-amz-server-side-encryption",
                "x-amz-server-side-encryption-aws-kms-key-id",
                "x-amz-server-side-encryption-bucket-key-enabled",
                "x-amz-version-id",
            ],
        )
