"""Evidence: trails record everything, into a place of this deployment, in a form that shows tampering."""

from __future__ import annotations

from collections.abc import Iterator

from assembly import Resource
from gate.control import control
from gate.world import World, as_list, at, truthy

_BUCKET_KEY = (
    "BucketEncryption",
    "ServerSideEncryptionConfiguration",
    0,
    "ServerSideEncryptionByDefault",
    "KMSMasterKeyID",
)
REDACTOR = "redact_records.handler.handle"
"""The code that takes secrets out of audit records."""


@control("archive.trail.everywhere", "AWS::CloudTrail::Trail")
def trail_complete(trail: Resource, _world: World) -> Iterator[str]:
    """A trail is on, covers every region and global services, and signs its files.

    Fix: set IsLogging, IsMultiRegionTrail, IncludeGlobalServiceEvents and EnableLogFileValidation.
    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/best-practices-security.html
    """
    for name in ("IsLogging", "IsMultiRegionTrail", "IncludeGlobalServiceEvents", "EnableLogFileValidation"):
        if not truthy(trail.properties.get(name)):
            yield f"{name} is not true"


@control("archive.trail.place", "AWS::CloudTrail::Trail")
def trail_place(trail: Resource, world: World) -> Iterator[str]:
    """A trail delivers to a bucket of this deployment that is locked, and its key is the archive's.

    Fix: name the archive's bucket in S3BucketName.
    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-create-and-update-a-trail.html
    """
    bucket = world.target(trail.properties.get("S3BucketName"), trail)
    if bucket is None or bucket.type != "AWS::S3::Bucket":
        yield f"{world.text(trail.properties.get('S3BucketName', ''), trail)} is no bucket of this deployment"
    elif not truthy(bucket.properties.get("ObjectLockEnabled")):
        yield f"its bucket {bucket.path} is not locked"


@control("archive.trail.data-events", "AWS::CloudTrail::Trail")
def data_events(trail: Resource, _world: World) -> Iterator[str]:
    """A trail records management events, reads and writes of objects and tables, calls of functions, and unusual rates.

    Fix: give advanced selectors for Management and Data of S3, DynamoDB and Lambda, and both Insights.
    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html
    """
    selectors = trail.properties.get("AdvancedEventSelectors", [])
    categories: set[str] = set()
    types: set[str] = set()
    for selector in selectors:
        fields = {item.get("Field"): item for item in selector.get("FieldSelectors", [])}
        categories.update(fields.get("eventCategory", {}).get("Equals", []))
        types.update(fields.get("resources.type", {}).get("Equals", []))
        for extra in set(fields) & {"readOnly", "eventName", "eventSource"}:
            if fields[extra].get("Equals") == ["true"]:
                yield f"selector {selector.get('Name', '')} records reads only"
    for selector in trail.properties.get("EventSelectors", []):
        if truthy(selector.get("IncludeManagementEvents", True)) and selector.get("ReadWriteType", "All") == "All":
            categories.add("Management")
        types.update(resource.get("Type") for resource in selector.get("DataResources", []))
    if not selectors and not trail.properties.get("EventSelectors"):
        categories.add("Management")
    if "Management" not in categories:
        yield "management events are not recorded"
    for name in ("AWS::S3::Object", "AWS::DynamoDB::Table", "AWS::Lambda::Function"):
        if name not in types:
            yield f"data events of {name} are not recorded"
    insights = {item.get("InsightType") for item in trail.properties.get("InsightSelectors", [])}
    for name in ("ApiCallRateInsight", "ApiErrorRateInsight"):
        if name not in insights:
            yield f"{name} is off"


@control("archive.bucket.data-events", "AWS::S3::Bucket")
def bucket_data_events(bucket: Resource, world: World) -> Iterator[str]:
    """Whoever reads or deletes an object of any bucket of the deployment is recorded by a trail.

    Fix: begin the S3 selector's resources.ARN with the bucket's name, or leave the field out.
    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/filtering-data-events.html
    """
    trails = list(world.of_type("AWS::CloudTrail::Trail"))
    if not trails:
        return  # archive.account.trail judges that
    arn = f"{world.text({'Fn::GetAtt': [bucket.logical_id, 'Arn']}, bucket)}/"
    for trail in trails:
        for selector in trail.properties.get("AdvancedEventSelectors", []):
            fields = {item.get("Field"): item for item in selector.get("FieldSelectors", [])}
            if "AWS::S3::Object" not in fields.get("resources.type", {}).get("Equals", []):
                continue
            names = fields.get("resources.ARN", {})
            starts = [world.text(name, trail) for name in names.get("StartsWith", [])]
            barred = [world.text(name, trail) for name in names.get("NotStartsWith", [])]
            deletes = "DeleteObject" not in at(fields, "eventName", "NotEquals", default=[])
            if (
                deletes
                and (not starts or arn.startswith(tuple(starts)))
                and not arn.startswith(tuple(barred) or ("-",))
            ):
                return
        if any(
            resource.get("Type") == "AWS::S3::Object"
            for selector in trail.properties.get("EventSelectors", [])
            for resource in selector.get("DataResources", [])
        ):
            return
    yield "no trail records who reads or deletes what it holds"


@control("archive.trail.covers-accounts", "AWS::CloudTrail::Trail")
def covers_accounts(trail: Resource, world: World) -> Iterator[str]:
    """Every account's calls are recorded: by the organization's trail, or by a trail of the account itself.

    Fix: set IsOrganizationTrail on the management account's trail, or add a trail to each account.
    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/creating-trail-organization.html
    """
    trails = list(world.of_type("AWS::CloudTrail::Trail"))
    if any(truthy(one.properties.get("IsOrganizationTrail")) for one in trails):
        return
    covered = {world.stack(one).account for one in trails}
    deploying = {world.stack(vpc).account for vpc in world.of_type("AWS::EC2::VPC")}
    missing = sorted(deploying - covered)
    if missing and (trail.stack, trail.logical_id) == (trails[0].stack, trails[0].logical_id):
        yield f"no trail records account {', '.join(missing)}"


@control("archive.account.trail", "AWS::EC2::VPC")
def account_trail(vpc: Resource, world: World) -> Iterator[str]:
    """An account that holds a network has its calls recorded by some trail of the deployment.

    Fix: add the organization's trail, or one in the account.
    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-trails.html
    """
    account = world.stack(vpc).account
    for trail in world.of_type("AWS::CloudTrail::Trail"):
        if truthy(trail.properties.get("IsOrganizationTrail")) or world.stack(trail).account == account:
            return
    yield f"no trail records account {account}"


@control(
    "archive.delivery.source", "AWS::Logs::DeliverySource", "AWS::Logs::DeliveryDestination", "AWS::Logs::Delivery"
)
def delivery(resource: Resource, world: World) -> Iterator[str]:
    """A log delivery begins at a resource and ends in a place of this deployment.

    Fix: name the delivered resource, the destination and both in the Delivery.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-and-resource-policy.html
    """
    if resource.type.endswith("DeliveryDestination"):
        value = resource.properties.get("DestinationResourceArn")
        if value is None or world.target(value, resource) is None:
            yield f"{world.text(value or 'nothing', resource)} is no place of this deployment"
    elif resource.type.endswith("DeliverySource"):
        if world.target(resource.properties.get("ResourceArn"), resource) is None:
            yield "what it delivers from is none of this deployment's"
    else:
        for name in ("DeliverySourceName", "DeliveryDestinationArn"):
            if not resource.properties.get(name):
                yield f"{name} is not set"


@control("archive.queries.workgroup", "AWS::Athena::WorkGroup")
def workgroup(group: Resource, world: World) -> Iterator[str]:
    """Queries write only encrypted results, to the place their workgroup sets, within a limit of bytes read.

    Fix: set EnforceWorkGroupConfiguration, EncryptionConfiguration SSE_KMS and BytesScannedCutoffPerQuery.
    https://docs.aws.amazon.com/athena/latest/ug/workgroups-settings-override.html
    """
    body = group.properties.get("WorkGroupConfiguration", {})
    if group.properties.get("State", "ENABLED") != "ENABLED":
        yield "it is off, so nobody can ask what happened"
    if not truthy(body.get("EnforceWorkGroupConfiguration")):
        yield "whoever asks may choose another place and no encryption"
    if at(body, "ResultConfiguration", "EncryptionConfiguration", "EncryptionOption") not in {"SSE_KMS", "CSE_KMS"}:
        yield "results are not encrypted with a customer-managed key"
    location = at(body, "ResultConfiguration", "OutputLocation")
    if location is None or (
        not any(True for _ in world.targets(location, group))
        and world.target(f"arn:aws:s3:::{world.text(location, group).removeprefix('s3://')}", group) is None
    ):
        yield "results go to no bucket of this deployment"
    if not body.get("BytesScannedCutoffPerQuery"):
        yield "one query may read, and cost, without limit"
    if body.get("PublishCloudWatchMetricsEnabled") in {False, "false"}:
        yield "its use is not measured"


@control("archive.recorder.complete", "AWS::Config::ConfigurationRecorder")
def recorder(resource: Resource, world: World) -> Iterator[str]:
    """AWS Config records every type of resource from the start, and global ones in one region of the account.

    Fix: set RecordingGroup.AllSupported, and IncludeGlobalResourceTypes in the home region.
    https://docs.aws.amazon.com/config/latest/developerguide/select-resources.html
    """
    if not truthy(at(resource.properties, "RecordingGroup", "AllSupported")):
        yield "it records chosen types only"
    if not truthy(resource.properties.get("StartedOnCreate", True)):
        yield "it is not started"
    global_ones = [
        one
        for one in world.of_type("AWS::Config::ConfigurationRecorder", near=resource)
        if truthy(at(one.properties, "RecordingGroup", "IncludeGlobalResourceTypes"))
    ]
    if not global_ones:
        yield "no recorder of its account records roles and other global resources"
    if len(global_ones) > 1 and resource.path in {one.path for one in global_ones}:
        yield "global resources are recorded, and billed, more than once"
    if not any(True for _ in world.of_type("AWS::Config::DeliveryChannel", near=resource, same_region=True)):
        yield "it has no delivery channel, without which it does not start"


@control("archive.recorder.delivered", "AWS::Config::DeliveryChannel")
def delivery_channel(channel: Resource, world: World) -> Iterator[str]:
    """What AWS Config records is delivered to a bucket of this deployment, encrypted with a customer-managed key.

    Fix: name the log archive's bucket in S3BucketName; its own encryption applies where S3KmsKeyArn is not given.
    https://docs.aws.amazon.com/config/latest/developerguide/s3-bucket-policy.html
    """
    bucket = world.target(channel.properties.get("S3BucketName"), channel)
    if bucket is None or bucket.type != "AWS::S3::Bucket":
        yield f"{world.text(channel.properties.get('S3BucketName', 'nothing'), channel)} is no bucket of this deployment"
    elif not channel.properties.get("S3KmsKeyArn") and not at(bucket.properties, *_BUCKET_KEY):
        yield f"neither it nor its bucket {bucket.path} names a key"
    if not any(True for _ in world.of_type("AWS::Config::ConfigurationRecorder", near=channel, same_region=True)):
        yield "nothing records what it would deliver"


@control("archive.firehose.place", "AWS::KinesisFirehose::DeliveryStream")
def firehose(stream: Resource, world: World) -> Iterator[str]:
    """A delivery stream ends in a bucket of this deployment, in a form that can be read, and says so when it fails.

    Fix: set the destination's BucketARN, CloudWatchLoggingOptions.Enabled and ProcessingConfiguration.Enabled.
    https://docs.aws.amazon.com/firehose/latest/dev/monitoring-with-cloudwatch-logs.html
    """
    for name, body in stream.properties.items():
        if not name.endswith("DestinationConfiguration"):
            continue
        if not truthy(at(body, "CloudWatchLoggingOptions", "Enabled")):
            yield "its failures are not recorded"
        processing = at(body, "ProcessingConfiguration")
        if processing is not None and not truthy(at(processing, "Enabled")):
            yield "its processors are switched off, so nobody can read what it writes"
        bucket = at(body, "BucketARN")
        if bucket is not None and world.target(bucket, stream) is None:
            yield f"{world.text(bucket, stream)} is no bucket of this deployment"
        if (
            bucket is not None
            and at(body, "EncryptionConfiguration", "KMSEncryptionConfig") is None
            and at(body, "EncryptionConfiguration", "NoEncryptionConfig") is not None
        ):
            yield "what it writes is not encrypted"


@control("archive.firehose.redacted", "AWS::KinesisFirehose::DeliveryStream")
def redacted(stream: Resource, world: World) -> Iterator[str]:
    """A delivery stream hands every record to a function of this deployment that redacts it, and lets none pass by.

    Fix: add a processor of type Lambda that calls redact_records, and processors to nothing but what the bucket gets.
    https://docs.aws.amazon.com/firehose/latest/dev/data-transformation.html
    """
    for name, body in stream.properties.items():
        if not name.endswith("DestinationConfiguration"):
            continue
        processors = as_list(at(body, "ProcessingConfiguration", "Processors"))
        functions = [
            world.target(parameter["ParameterValue"], stream)
            for processor in processors
            if processor.get("Type") == "Lambda"
            for parameter in as_list(processor.get("Parameters"))
            if parameter.get("ParameterName") == "LambdaArn"
        ]
        if not any(one is not None and one.properties.get("Handler") == REDACTOR for one in functions):
            yield "nothing redacts what it carries"
        if str(at(body, "S3BackupMode", default="Disabled")) not in {"Disabled", "FailedDataOnly"}:
            yield "it also keeps what came in before it was redacted"
