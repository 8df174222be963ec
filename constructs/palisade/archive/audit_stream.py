"""Carries application audit logs into the archive, from their log groups or from services that write records."""

from __future__ import annotations

import enum
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs

from constructs import Construct
from palisade.acknowledge import acknowledge
from palisade.archive.replication import Destination
from palisade.compute import Function
from palisade.identity import ComponentRole
from palisade.observability import RetainedLogGroup


class Records(enum.Enum):
    """What enters a stream: envelopes of CloudWatch Logs, or plain records of a service that writes them itself."""

    ENVELOPES = "audit"
    PLAIN = "sign-ins"


@dataclass(frozen=True, kw_only=True)
class Carried:
    """A stream's name, what it carries, and the role (``role_name``) that the bucket's policy names."""

    name: str
    role_name: str
    records: Records = Records.ENVELOPES


REDACTOR_SECONDS = 120
"""How long the redactor may take for :data:`_MEGABYTES_AT_ONCE`; Firehose waits five minutes."""

_MEGABYTES_AT_ONCE = 1
"""Unpacked, so that request and answer fit into the six megabytes of a synchronous call."""

_RETRIES = 300
"""The most there is. A batch that the redactor never took goes, as it was written, to the archive's folder of failures."""


class AuditStream(Construct):
    """Delivers what it is given, within minutes and without secrets, into a bucket of the archive account.

    The bucket's own default encrypts objects. Each holds records, one a line: envelopes of CloudWatch Logs, so that group
    and stream stay with every event, or what a service writes under ``AWSServiceRoleForLogDelivery``. They wait encrypted
    with ``key``, at most a day, and ``redactor`` cleans them; what goes wrong is told in ``errors``.

    Control: archive.firehose.place, archive.firehose.redacted

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html#FirehoseExample
    https://docs.aws.amazon.com/firehose/latest/dev/writing-with-cloudwatch-logs-decompression.html
    https://docs.aws.amazon.com/firehose/latest/dev/data-transformation-failure-handling.html
    https://docs.aws.amazon.com/firehose/latest/dev/controlling-access.html#cross-account-delivery-s3
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        carried: Carried,
        key: kms.IKey,
        destination: Destination,
        errors: RetainedLogGroup,
        redactor: Function,
    ) -> None:
        super().__init__(scope, construct_id)
        self.name = name = carried.name
        records = carried.records
        stack = cdk.Stack.of(self)
        self._place = f"{stack.region}:{stack.account}"
        writer = self._writer(carried.role_name, destination, errors, redactor)
        log_stream = logs.CfnLogStream(self, "Errors", log_group_name=errors.name, log_stream_name=name)
        log_stream.node.add_dependency(errors)
        folder = f"AWSLogs/{stack.account}"
        self.stream = firehose.CfnDeliveryStream(
            self,
            "Resource",
            delivery_stream_name=name,
            delivery_stream_type="DirectPut",
            delivery_stream_encryption_configuration_input=firehose.CfnDeliveryStream.DeliveryStreamEncryptionConfigurationInputProperty(
                key_type="CUSTOMER_MANAGED_CMK", key_arn=key.key_arn
            ),
            extended_s3_destination_configuration=firehose.CfnDeliveryStream.ExtendedS3DestinationConfigurationProperty(
                bucket_arn=f"arn:aws:s3:::{destination.bucket_name}",
                role_arn=writer.role.role_arn,
                prefix=f"{folder}/{records.value}/!{{timestamp:yyyy/MM/dd}}/",
                error_output_prefix=f"{folder}/{records.value}-failed/!{{firehose:error-output-type}}/!{{timestamp:yyyy/MM/dd}}/",
                compression_format="GZIP",
                buffering_hints=firehose.CfnDeliveryStream.BufferingHintsProperty(
                    interval_in_seconds=300, size_in_m_bs=64
                ),
                cloud_watch_logging_options=firehose.CfnDeliveryStream.CloudWatchLoggingOptionsProperty(
                    enabled=True, log_group_name=errors.name, log_stream_name=name
                ),
                processing_configuration=firehose.CfnDeliveryStream.ProcessingConfigurationProperty(
                    enabled=True,
                    processors=[
                        *(
                            [_processor("Decompression", CompressionFormat="GZIP")]
                            if records is Records.ENVELOPES
                            else []
                        ),
                        _processor(
                            "Lambda",
                            LambdaArn=redactor.function.function_arn,
                            RoleArn=writer.role.role_arn,
                            NumberOfRetries=str(_RETRIES),
                            BufferSizeInMBs=str(_MEGABYTES_AT_ONCE),
                            BufferIntervalInSeconds="60",
                        ),
                        _processor("AppendDelimiterToRecord", Delimiter="\\n"),
                    ],
                ),
            ),
        )
        self.stream.node.add_dependency(writer.policy, log_stream)
        if records is Records.ENVELOPES:
            self._subscriber = self._sender()
        else:
            # The service-linked role may put records into streams that bear this tag.
            # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-infrastructure-Firehose.html
            cdk.Tags.of(self.stream).add("LogDeliveryEnabled", "true")

    def subscribe(self, construct_id: str, *, log_group: str, pattern: str) -> None:
        """Deliver the events of ``log_group`` that match ``pattern`` (empty: all of them)."""
        subscription = logs.CfnSubscriptionFilter(
            self,
            construct_id,
            log_group_name=log_group,
            filter_pattern=pattern,
            destination_arn=self.stream.attr_arn,
            role_arn=self._subscriber.role.role_arn,
        )
        # CloudWatch Logs sends a test record when the filter is made.
        subscription.node.add_dependency(self._subscriber.policy)

    def _writer(
        self, role_name: str, destination: Destination, errors: RetainedLogGroup, redactor: Function
    ) -> ComponentRole:
        region = cdk.Stack.of(self).region
        bucket = f"arn:aws:s3:::{destination.bucket_name}"
        keys = f"arn:aws:kms:{region}:{destination.account}:key/*"
        writer = ComponentRole(
            self,
            "Writer",
            # Firehose gives the account of the stream as external id.
            # https://docs.aws.amazon.com/firehose/latest/dev/controlling-access.html#firehose-assume-role
            assumed_by=iam.ServicePrincipal(
                "firehose.amazonaws.com", conditions={"StringEquals": {"sts:ExternalId": cdk.Stack.of(self).account}}
            ),
            description=f"Writes {self.name} into the archive",
            name=role_name,
        )
        writer.allow(
            iam.PolicyStatement(
                sid="WriteObjects",
                actions=["s3:AbortMultipartUpload", "s3:PutObject", "s3:PutObjectAcl"],
                resources=[f"{bucket}/*"],
            ),
            iam.PolicyStatement(
                sid="FindBucket",
                actions=["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
                resources=[bucket],
            ),
            iam.PolicyStatement(
                sid="EncryptObjects",
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=[keys],
                conditions={"StringEquals": {"kms:ViaService": f"s3.{region}.amazonaws.com"}},
            ),
            iam.PolicyStatement(
                sid="Redact",
                actions=["lambda:GetFunctionConfiguration", "lambda:InvokeFunction"],
                resources=[redactor.function.function_arn],
            ),
            iam.PolicyStatement(
                sid="TellErrors",
                actions=["logs:PutLogEvents"],
                resources=[f"arn:aws:logs:{self._place}:log-group:{errors.name}:log-stream:{self.name}"],
            ),
        )
        acknowledge(
            writer.policy,
            f"{self.name} writes objects whose names hold their time, under a key of the archive account whose id is not "
            "known here; that key's policy admits this role through S3 alone.",
            f"AwsSolutions-IAM5[Resource::{bucket}/*]",
            f"AwsSolutions-IAM5[Resource::{keys}]",
        )
        return writer

    def _sender(self) -> ComponentRole:
        sender = ComponentRole(
            self,
            "Sender",
            assumed_by=iam.ServicePrincipal(
                "logs.amazonaws.com",
                conditions={"StringLike": {"aws:SourceArn": f"arn:aws:logs:{self._place}:*"}},
            ),
            description=f"Puts log events into {self.name}",
        )
        sender.allow(
            iam.PolicyStatement(
                sid="Put",
                actions=["firehose:PutRecord", "firehose:PutRecordBatch"],
                resources=[f"arn:aws:firehose:{self._place}:deliverystream/{self.name}"],
            )
        )
        return sender


def _processor(kind: str, **parameters: str) -> firehose.CfnDeliveryStream.ProcessorProperty:
    return firehose.CfnDeliveryStream.ProcessorProperty(
        type=kind,
        parameters=[
            firehose.CfnDeliveryStream.ProcessorParameterProperty(parameter_name=name, parameter_value=value)
            for name, value in parameters.items()
        ],
    )
