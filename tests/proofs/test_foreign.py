"""Assemblies of others: ordinary CDK patterns without accounts or regions are judged, not crashed on."""

from __future__ import annotations

import json
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_ecs_patterns as patterns
from aws_cdk import aws_efs as efs
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_lambda as functions
from aws_cdk import aws_rds as rds
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as stepfunctions

import proofs.all_proofs  # noqa: F401
from assembly import AssemblyError, load
from proofs.__main__ import main
from proofs.ask import answer
from proofs.finding import PROOFS, Case, Finding, Verdict, prove


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """A web shop as samples show it: a balanced container service, a database, a table, a bucket, a function, in a stage."""
    directory = tmp_path_factory.mktemp("shop") / "cdk.out"
    app = cdk.App(outdir=str(directory))
    stage = cdk.Stage(app, "Live")
    shop = cdk.Stack(stage, "Shop")
    vpc = ec2.Vpc(shop, "Network", max_azs=2, nat_gateways=1)
    service = patterns.ApplicationLoadBalancedFargateService(
        shop,
        "Web",
        vpc=vpc,
        task_image_options=patterns.ApplicationLoadBalancedTaskImageOptions(
            image=ecs.ContainerImage.from_registry("public.ecr.aws/nginx/nginx"), container_port=8080
        ),
    )
    database = rds.DatabaseInstance(
        shop, "Orders", vpc=vpc, engine=rds.DatabaseInstanceEngine.postgres(version=rds.PostgresEngineVersion.VER_16)
    )
    database.connections.allow_default_port_from(service.service)
    dynamodb.Table(shop, "Carts", partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING))
    s3.Bucket(shop, "Pictures")
    functions.Function(
        shop,
        "Resize",
        runtime=functions.Runtime.PYTHON_3_13,
        handler="index.handle",
        code=functions.Code.from_inline("def handle(event, context): ..."),
    )
    app.synth()
    return Case(load(directory, elsewhere=("111111111111", "eu-west-1")))


@pytest.fixture(scope="module")
def findings_of(case: Case) -> dict[str, Finding]:
    return prove(case)


def test_every_proof_judges_to_the_end(findings_of: dict[str, Finding]) -> None:
    assert set(findings_of) == set(PROOFS)
    unfinished = [
        item for finding in findings_of.values() for item in finding.missing if "could not be judged" in item.what
    ]
    assert not unfinished


def test_answers_are_sensible(findings_of: dict[str, Finding]) -> None:
    # The sample's database may call out through the NAT gateway, as its group says nothing of that; nobody calls in.
    assert all("calls out" in item.what for item in findings_of["reachability.stores-are-private"].broken)
    entrance = findings_of["reachability.only-the-edge-is-open"]
    assert entrance.verdict is Verdict.BROKEN
    assert all("Web/LB" in item.where for item in entrance.broken)
    plain = findings_of["encryption.at-rest"]
    assert {item.where.rpartition("/Shop/")[2] for item in plain.broken} >= {
        "Carts/Resource",
        "Orders/Resource",
        "Pictures/Resource",
    }
    assert findings_of["coverage.stores-backed-up"].verdict is Verdict.BROKEN
    assert findings_of["resilience.zone-loss"].verdict is Verdict.BROKEN


def test_who_reaches_the_database_is_exact(case: Case) -> None:
    text = "\n".join(answer(case, "what can reach Orders"))
    assert "1 can reach it" in text
    assert "Web/Service/Service" in text
    assert "tcp 5432" in text
    # Through the balancer the whole internet calls the service, on the balancer's port alone.
    text = "\n".join(answer(case, "what can reach Web/Service/Service on 8080"))
    assert "the internet" in text
    assert "Web/LB/Resource, tcp 80" in text


# --------------------------------------------------------------------------------------------- another app, two stacks


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """A serverless pipeline: site, user pool, API, function, state machine, stream, queue, shared files, in two stacks."""
    directory = tmp_path_factory.mktemp("pipeline") / "cdk.out"
    app = cdk.App(outdir=str(directory))
    base = cdk.Stack(app, "Base")
    vpc = ec2.Vpc(base, "Vpc", max_azs=3, nat_gateways=0, ip_addresses=ec2.IpAddresses.cidr("172.16.0.0/20"))
    site = s3.Bucket(base, "Site", encryption=s3.BucketEncryption.S3_MANAGED, enforce_ssl=True)
    work = cdk.Stack(app, "Work")
    cloudfront.Distribution(
        base,
        "Cdn",
        default_behavior=cloudfront.BehaviorOptions(
            origin=origins.S3BucketOrigin.with_origin_access_control(site),
            viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
        ),
    )
    cognito.UserPool(work, "Users")
    files = efs.FileSystem(work, "Files", vpc=vpc)
    orders = sqs.Queue(work, "Orders", encryption=sqs.QueueEncryption.KMS)
    stream = kinesis.Stream(work, "Clicks")
    handler = functions.Function(
        work,
        "Api",
        runtime=functions.Runtime.PYTHON_3_13,
        handler="index.handle",
        code=functions.Code.from_inline("def handle(event, context): ..."),
        vpc=vpc,
        vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
    )
    files.connections.allow_default_port_from(handler)
    orders.grant_send_messages(handler)
    stream.grant_write(handler)
    site.grant_read(handler)
    apigateway.LambdaRestApi(work, "Rest", handler=handler)
    machine = stepfunctions.StateMachine(
        work, "Flow", definition_body=stepfunctions.DefinitionBody.from_chainable(stepfunctions.Pass(work, "Start"))
    )
    rule = events.Rule(work, "Nightly", schedule=events.Schedule.rate(cdk.Duration.days(1)))
    rule.add_target(targets.SfnStateMachine(machine))
    rule.add_target(targets.SqsQueue(orders))
    app.synth()
    return Case(load(directory, elsewhere=("111111111111", "eu-west-1")))


def test_every_proof_judges_a_pipeline_to_the_end(pipeline: Case) -> None:
    findings = prove(pipeline)
    assert not [str(i) for found in findings.values() for i in found.missing if "could not be judged" in i.what]
    assert {"Work/Files/Resource", "Work/Clicks/Resource", "Base/Site/Resource"} & {
        item.where for item in findings["encryption.at-rest"].broken
    }
    assert findings["coverage.stores-backed-up"].verdict is Verdict.BROKEN
    assert findings["coverage.public-behind-firewall"].verdict is Verdict.BROKEN


def test_asks_of_a_pipeline_are_answered(pipeline: Case) -> None:
    assert "Work/Api/Resource" in "\n".join(answer(pipeline, "what can reach Work/Files"))
    assert answer(pipeline, "can internet reach Work/Files on 2049")[0].startswith("No.")
    assert "Work/Api/ServiceRole" in "\n".join(answer(pipeline, "who can write Work/Orders/Resource"))
    assert "Work/Api/ServiceRole" in "\n".join(answer(pipeline, "who can read Base/Site/Resource"))


# ------------------------------------------------------------------------------------------------- plain CloudFormation

WEB = """
AWSTemplateFormatVersion: 2010-09-09
Parameters:
  Stage: {Type: String, Default: test}
Conditions:
  Live: !Equals [!Ref Stage, live]
Resources:
  Network: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.9.0.0/16}}
  Door: {Type: AWS::EC2::InternetGateway}
  Attached:
    Type: AWS::EC2::VPCGatewayAttachment
    Properties: {VpcId: !Ref Network, InternetGatewayId: !Ref Door}
  Street:
    Type: AWS::EC2::Subnet
    Properties:
      VpcId: !Ref Network
      CidrBlock: 10.9.1.0/24
      AvailabilityZone: !Select [0, !GetAZs ""]
      MapPublicIpOnLaunch: true
  Ways: {Type: AWS::EC2::RouteTable, Properties: {VpcId: !Ref Network}}
  Out:
    Type: AWS::EC2::Route
    Properties: {RouteTableId: !Ref Ways, DestinationCidrBlock: 0.0.0.0/0, GatewayId: !Ref Door}
  OnStreet:
    Type: AWS::EC2::SubnetRouteTableAssociation
    Properties: {SubnetId: !Ref Street, RouteTableId: !Ref Ways}
  OpenSsh:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: everybody
      VpcId: !Ref Network
      SecurityGroupIngress: [{IpProtocol: tcp, FromPort: 22, ToPort: 22, CidrIp: 0.0.0.0/0}]
  Server:
    Type: AWS::EC2::Instance
    Properties:
      ImageId: ami-12345678
      InstanceType: t3.micro
      SubnetId: !Ref Street
      SecurityGroupIds: [!GetAtt OpenSsh.GroupId]
  Uploads:
    Type: AWS::S3::Bucket
    Properties: {BucketName: !Sub "uploads-${Stage}-${AWS::AccountId}"}
  Everybody:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Uploads
      PolicyDocument:
        Version: 2012-10-17
        Statement: [{Effect: Allow, Principal: "*", Action: s3:GetObject, Resource: !Sub "${Uploads.Arn}/*"}]
  Spare: {Type: AWS::SQS::Queue, Condition: Live}
"""


def test_a_folder_of_plain_templates_is_judged_and_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "web.yaml").write_text(WEB)
    table = {"Type": "AWS::DynamoDB::Table", "Properties": {"KeySchema": [], "AttributeDefinitions": []}}
    (tmp_path / "data.template.json").write_text(json.dumps({"Resources": {"Items": table}}))
    (tmp_path / "parameters.json").write_text(json.dumps([{"ParameterKey": "Stage", "ParameterValue": "test"}]))
    assert main(["prove", "--assembly", str(tmp_path), "--json", str(tmp_path / "found.json")]) == 1
    assert "could not be judged" not in capsys.readouterr().out
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["stacks"] == 2
    where = {item["path"] for claim in found["claims"] for item in claim["counter_examples"]}
    assert {"web/OpenSsh", "web/Server", "web/Everybody", "web/Uploads", "data/Items"} <= where
    assert not [path for path in where if path == "web/Spare"], "its condition is false"
    assert main(["ask", "--assembly", str(tmp_path), "can internet reach Server on 22"]) == 0
    assert capsys.readouterr().out.startswith("Yes.")
    assert main(["ask", "--assembly", str(tmp_path), "who can read web/Uploads"]) == 0
    assert "everybody" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "says"),
    [("Resources: {Broken: [", "neither JSON nor YAML"), ("{", "neither JSON"), ("Resources: {A: {}}", "has no Type")],
)
def test_a_template_that_cannot_be_read_is_named(text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(text)
    with pytest.raises(AssemblyError, match=says):
        load(tmp_path, elsewhere=("111111111111", "eu-west-1"))
