"""Assemblies of others: ordinary CDK patterns without accounts or regions are judged, not crashed on."""

from __future__ import annotations

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_ecs_patterns as patterns
from aws_cdk import aws_lambda as functions
from aws_cdk import aws_rds as rds
from aws_cdk import aws_s3 as s3

import proofs.all_proofs  # noqa: F401
from assembly import load
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
