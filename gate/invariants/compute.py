"""Functions, instances and state machines: current, bounded in time, traced, and without secrets beside them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assembly import Resource
from gate.control import control
from gate.policies import documents
from gate.world import World, at, truthy, walk

_CURRENT = frozenset(
    {
        "python3.12",
        "python3.13",
        "python3.14",
        "nodejs22.x",
        "nodejs24.x",
        "java21",
        "java25",
        "provided.al2023",
        "ruby3.4",
        "dotnet8",
        "dotnet10",
    }
)


@control("compute.function.runtime", "AWS::Lambda::Function")
def runtime(function: Resource, _world: World) -> Iterator[str]:
    """Every function runs on a runtime that AWS still patches for years.

    Fix: choose one of the current runtimes.
    https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
    """
    if function.properties.get("PackageType") == "Image":
        return
    name = function.properties.get("Runtime")
    if isinstance(name, str) and name not in _CURRENT:
        yield f"its runtime is {name}"


@control("compute.function.placement", "AWS::Lambda::Function")
def placement(function: Resource, world: World) -> Iterator[str]:
    """A function of a stage runs inside its network, in private subnets, behind a security group.

    Fix: give it a Placement; a function that only deployment calls is recorded in gate/exceptions.py.
    https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
    """
    config = function.properties.get("VpcConfig", {})
    if not config.get("SubnetIds"):
        yield "it runs outside the network"
    elif not config.get("SecurityGroupIds"):
        yield "it is in no security group"
    for subnet in world.targets(config.get("SubnetIds", []), function):
        for association in world.pointing_at(subnet, "SubnetId", "AWS::EC2::SubnetRouteTableAssociation"):
            table = world.target(association.properties.get("RouteTableId"), association)
            if table is not None and any(
                gateway is not None and gateway.type == "AWS::EC2::InternetGateway"
                for route in world.pointing_at(table, "RouteTableId", "AWS::EC2::Route")
                for gateway in [world.target(route.properties.get("GatewayId"), route)]
            ):
                yield f"it runs in the public subnet {subnet.path}"


@control("compute.function.limits", "AWS::Lambda::Function")
def limits(function: Resource, _world: World) -> Iterator[str]:
    """A function states how long it may run.

    Fix: set Timeout to what the work needs.
    https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html
    """
    if "Timeout" not in function.properties:
        yield "its time limit is not stated"


@control("compute.function.traced", "AWS::Lambda::Function")
def traced(function: Resource, world: World) -> Iterator[str]:
    """Every call of a function is traced, and logged in JSON into a log group of this deployment.

    Fix: set TracingConfig.Mode Active and LoggingConfig with LogFormat JSON and LogGroup.
    https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html
    """
    if at(function.properties, "TracingConfig", "Mode") != "Active":
        yield "its calls are not traced"
    config = function.properties.get("LoggingConfig", {})
    group = world.target(config.get("LogGroup"), function)
    if group is None:
        yield "it logs into a group that Lambda makes by itself, unencrypted and kept for ever"
    if config.get("LogFormat") != "JSON":
        yield "its log lines are not structured"
    if config.get("ApplicationLogLevel") in {"TRACE", "DEBUG"} or config.get("SystemLogLevel") == "DEBUG":
        yield "it logs at debug level"


@control("compute.function.role", "AWS::Lambda::Function")
def role(function: Resource, world: World) -> Iterator[str]:
    """Every function acts under a role of its own in this deployment.

    Fix: give each function a ComponentRole.
    https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
    """
    mine = world.target(function.properties.get("Role"), function)
    if mine is None:
        yield "its role is none of this deployment's"
        return
    sharing = [
        other.path
        for other in world.pointing_at(mine, "Role", "AWS::Lambda::Function")
        if (other.stack, other.logical_id) != (function.stack, function.logical_id)
    ]
    if sharing:
        yield f"it shares its role with {', '.join(sharing)}"


@control("compute.function.failures", "AWS::Lambda::Function", "AWS::Lambda::EventSourceMapping")
def failures(resource: Resource, world: World) -> Iterator[str]:
    """Work that fails again and again is set aside where somebody sees it: of streams by destination, of events by queue.

    Fix: set DeadLetterConfig, an EventInvokeConfig with OnFailure, or the mapping's DestinationConfig.
    https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
    """
    if resource.type == "AWS::Lambda::EventSourceMapping":
        if "StartingPosition" in resource.properties and not at(resource.properties, "DestinationConfig", "OnFailure"):
            yield "records that fail block the stream or are lost"
        if resource.properties.get("Enabled") in {False, "false"}:
            yield "it is off"
        return
    if at(resource.properties, "DeadLetterConfig", "TargetArn") is not None:
        if world.target(resource.properties["DeadLetterConfig"]["TargetArn"], resource) is None:
            yield "its dead letters go to no queue of this deployment"
        return
    asynchronous = [
        rule
        for rule in world.of_type("AWS::Events::Rule", "AWS::SNS::Subscription", near=resource)
        for value in [*[t.get("Arn") for t in rule.properties.get("Targets", [])], rule.properties.get("Endpoint")]
        if any(
            (one.stack, one.logical_id) == (resource.stack, resource.logical_id) for one in world.targets(value, rule)
        )
    ]
    invoke = list(world.pointing_at(resource, "FunctionName", "AWS::Lambda::EventInvokeConfig"))
    # A rule's own dead-letter queue holds what could not be delivered, not what the function failed at.
    if asynchronous and not any(at(one.properties, "DestinationConfig", "OnFailure") for one in invoke):
        yield f"events from {asynchronous[0].path} that fail are lost"


@control("compute.instance.hardened", "AWS::EC2::Instance")
def instance(resource: Resource, world: World) -> Iterator[str]:
    """An instance is monitored closely, acts under a role of its own, and is in a security group of this deployment.

    Fix: set Monitoring true, IamInstanceProfile and SecurityGroupIds.
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-best-practices.html
    """
    template = world.target(at(resource.properties, "LaunchTemplate", "LaunchTemplateId"), resource)
    inherited = {} if template is None else template.properties.get("LaunchTemplateData", {})
    if not truthy(resource.properties.get("Monitoring")) and not truthy(at(inherited, "Monitoring", "Enabled")):
        yield "it is watched every five minutes only"
    if "IamInstanceProfile" not in resource.properties and "IamInstanceProfile" not in inherited:
        yield "it has no role, so Session Manager cannot reach it"
    groups = (
        resource.properties.get("SecurityGroupIds")
        or inherited.get("SecurityGroupIds")
        or [
            group
            for interface in resource.properties.get("NetworkInterfaces", [])
            for group in interface.get("GroupSet", [])
        ]
    )
    if not list(world.targets(groups, resource)) and not groups:
        yield "it is in the default security group"
    if resource.properties.get("SourceDestCheck") in {False, "false"}:
        yield "it may send and receive traffic of others"


@control("access.bastion.hardened", "AWS::EC2::LaunchTemplate")
def template(resource: Resource, world: World) -> Iterator[str]:
    """Instances of a template are watched every minute and act under a role.

    Fix: set LaunchTemplateData.Monitoring.Enabled and IamInstanceProfile.
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/manage-detailed-monitoring.html
    """
    body = resource.properties.get("LaunchTemplateData", {})
    if not truthy(at(body, "Monitoring", "Enabled")):
        yield "its instances are watched every five minutes only"
    if "IamInstanceProfile" not in body:
        yield "its instances have no role"
    if not body.get("SecurityGroupIds") and not any(one.get("Groups") for one in body.get("NetworkInterfaces", [])):
        yield "its instances are in the default security group"


@control("compute.patches.prompt", "AWS::SSM::PatchBaseline")
def patches(baseline: Resource, _world: World) -> Iterator[str]:
    """Security updates of every severity are installed within a week of their release.

    Fix: approve CLASSIFICATION Security (and every SEVERITY) after at most 7 days.
    https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-predefined-and-custom-patch-baselines.html
    """
    rules = at(baseline.properties, "ApprovalRules", "PatchRules", default=[])
    prompt = False
    for rule in rules:
        filters = {
            one.get("Key"): one.get("Values") or [] for one in at(rule, "PatchFilterGroup", "PatchFilters", default=[])
        }
        if int(rule.get("ApproveAfterDays", 7)) > 7:
            yield f"updates wait {rule['ApproveAfterDays']} days"
        elif {"Security", "*"} & set(filters.get("CLASSIFICATION", ())) and "*" in filters.get("SEVERITY", ["*"]):
            prompt = True
    if not prompt:
        yield "no rule approves every security update within a week"
    if not baseline.properties.get("PatchGroups") and not baseline.properties.get("DefaultBaseline"):
        yield "no machine is patched by it"


@control("compute.function.code", "AWS::Lambda::Function", "AWS::Lambda::LayerVersion")
def code(resource: Resource, world: World) -> Iterator[str]:
    """Code comes from a bucket of the account that runs it, or of this deployment.

    Fix: let CDK make the asset; its bucket's name holds the account.
    https://docs.aws.amazon.com/cdk/v2/guide/assets.html
    """
    bucket = at(resource.properties, "Code" if resource.type.endswith("Function") else "Content", "S3Bucket")
    if bucket is None:
        return
    name = world.text(bucket, resource)
    if world.stack(resource).account not in name and world.target(bucket, resource) is None:
        yield f"its code comes from {name}, which is none of this deployment's"


@control("compute.association.targets", "AWS::SSM::Association")
def association(resource: Resource, world: World) -> Iterator[str]:
    """What Systems Manager is told to do, it does to something.

    Fix: set Targets.
    https://docs.aws.amazon.com/systems-manager/latest/userguide/state-manager-associations.html
    """
    if not resource.properties.get("Targets") and not resource.properties.get("InstanceId"):
        yield "it applies to nothing"


@control("compute.machine.logged", "AWS::StepFunctions::StateMachine")
def machine(resource: Resource, world: World) -> Iterator[str]:
    """Each execution of a state machine is recorded without its data, and traced.

    Fix: set LoggingConfiguration Level ALL with IncludeExecutionData false, and TracingConfiguration.Enabled.
    https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
    """
    config = resource.properties.get("LoggingConfiguration", {})
    if config.get("Level") not in {"ALL", "ERROR"} or not config.get("Destinations"):
        yield "its executions are not recorded"
    if truthy(config.get("IncludeExecutionData")):
        yield "the data it handles is written to the log"
    if not truthy(at(resource.properties, "TracingConfiguration", "Enabled")):
        yield "its executions are not traced"


@control("observability.canary.public", "AWS::Synthetics::Canary")
def canary(resource: Resource, world: World) -> Iterator[str]:
    """A canary runs at least every hour, starts by itself, and keeps what it saw in a bucket of this deployment.

    Fix: set Schedule, StartCanaryAfterCreation and ArtifactS3Location.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Synthetics_Canaries_Create.html
    """
    if not truthy(resource.properties.get("StartCanaryAfterCreation")):
        yield "it waits for somebody to start it"
    expression = str(at(resource.properties, "Schedule", "Expression", default=""))
    found = re.fullmatch(r"rate\((\d+) (minute|minutes|hour|hours)\)", expression)
    minutes = 0 if found is None else int(found[1]) * (60 if found[2].startswith("hour") else 1)
    if found is None or minutes == 0 or minutes > 60:
        yield f"its schedule is {expression or 'not set'}"
    location = resource.properties.get("ArtifactS3Location")
    bucket = next(
        (one for one in world.targets(location, resource) if one.type == "AWS::S3::Bucket"), None
    ) or world.target("arn:aws:s3:::" + world.text(location, resource).removeprefix("s3://"), resource)
    if bucket is None:
        yield "what it saw goes to no bucket of this deployment"


@control("access.session.recording", "AWS::SSM::Document")
def sessions(document: Resource, world: World) -> Iterator[str]:
    """Sessions on instances are recorded, encrypted, and end when idle.

    Fix: in the Session document set s3BucketName or cloudWatchLogGroupName with encryption, kmsKeyId and idleSessionTimeout.
    https://docs.aws.amazon.com/systems-manager/latest/userguide/session-preferences-schema.html
    """
    content = document.properties.get("Content", {})
    if document.properties.get("DocumentType") != "Session" or not isinstance(content, dict):
        return
    inputs = content.get("inputs", {})
    if content.get("sessionType") == "Port":
        return
    for place in ("s3BucketName", "cloudWatchLogGroupName"):
        if not inputs.get(place):
            yield f"sessions are not recorded by {place}"
    for place, switch in (
        ("s3BucketName", "s3EncryptionEnabled"),
        ("cloudWatchLogGroupName", "cloudWatchEncryptionEnabled"),
    ):
        if inputs.get(place) and not truthy(inputs.get(switch)):
            yield f"{switch} is not true"
        if inputs.get(place) and world.target(inputs[place], document) is None:
            yield f"{place} is none of this deployment's"
    if not inputs.get("kmsKeyId"):
        yield "sessions are not encrypted with a key"
    idle = world.text(inputs.get("idleSessionTimeout", "0"), document)
    if not idle.isdigit() or not 0 < int(idle) <= 30:
        yield "idle sessions stay open"
    longest = world.text(inputs.get("maxSessionDuration") or "", document)
    if not longest:
        yield "sessions have no longest duration"
    elif not longest.isdigit() or not 0 < int(longest) <= 1440:
        yield f"sessions last up to {longest} minutes"
    if truthy(inputs.get("runAsEnabled")) and not inputs.get("runAsDefaultUser"):
        yield "sessions run as whom the caller says"


@control("access.tunnel.database-only", "AWS::SSM::Document")
def tunnel(document: Resource, world: World) -> Iterator[str]:
    """A tunnel through the bastion goes to one host and port, which whoever opens it cannot choose.

    Fix: write host and portNumber into the document's properties, not as parameters.
    https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-schema.html
    """
    content = document.properties.get("Content", {})
    if not isinstance(content, dict) or content.get("sessionType") != "Port":
        return
    for name in ("host", "portNumber"):
        value = world.text(at(content, "properties", name, default="{{"), document)
        if "{{" in value:
            yield f"whoever opens it chooses the {name}"


@control("compute.build.privileged", "AWS::CodeBuild::Project")
def build(project: Resource, _world: World) -> Iterator[str]:
    """A build does not run with the rights of its host.

    Fix: set Environment.PrivilegedMode to false.
    https://docs.aws.amazon.com/codebuild/latest/userguide/security-best-practices.html
    """
    if truthy(at(project.properties, "Environment", "PrivilegedMode")):
        yield "it runs privileged"


@control("compute.layer.private", "AWS::Lambda::LayerVersionPermission")
def layer(permission: Resource, world: World) -> Iterator[str]:
    """A layer is shared with accounts of this deployment only.

    Fix: name the account or OrganizationId.
    https://docs.aws.amazon.com/lambda/latest/dg/permissions-layer-cross-account.html
    """
    if permission.properties.get("Principal") == "*" and "OrganizationId" not in permission.properties:
        yield "anybody may use the layer"


@control("compute.function.self-change", "AWS::IAM::ManagedPolicy", "AWS::IAM::Policy")
def self_change(policy: Resource, world: World) -> Iterator[str]:
    """No component changes code, its own policy or the logs of what it did.

    Fix: take lambda:UpdateFunction*, logs:Delete* and cloudtrail:Stop* out of the component's policy.
    https://docs.aws.amazon.com/wellarchitected/latest/security-pillar/sec_permissions_least_privileges.html
    """
    forbidden = (
        "lambda:UpdateFunctionCode",
        "logs:DeleteLogGroup",
        "logs:DeleteLogStream",
        "cloudtrail:StopLogging",
        "cloudtrail:DeleteTrail",
        "kms:ScheduleKeyDeletion",
        "s3:PutBucketPolicy",
        "s3:DeleteBucketPolicy",
        "s3:BypassGovernanceRetention",
        "backup:DeleteRecoveryPoint",
    )
    for document in documents(policy, world):
        for statement in document.statements:
            if statement.allows:
                for action in forbidden:
                    if statement.covers(action):
                        yield f"{statement} allows {action}"


@control("compute.custom.provider", "AWS::CloudFormation::CustomResource")
def custom(resource: Resource, world: World) -> Iterator[str]:
    """A custom resource is served by a function of this deployment.

    Fix: name its function in ServiceToken.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-custom-resources.html
    """
    if not any(isinstance(node, dict) for node in walk(resource.properties.get("ServiceToken"))):
        yield "its function is none of this deployment's"
