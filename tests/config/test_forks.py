"""What a fork does first: other ids, regions, addresses and stages. The library builds it, and the gate finds nothing."""

from __future__ import annotations

import dataclasses
import re
from datetime import date
from ipaddress import IPv4Network

import pytest

from app import build
from assembly import Assembly, load
from gate.run import invariants, scope_of
from stacks.settings import (
    AccountId,
    Accounts,
    Contacts,
    Deployment,
    Domain,
    Egress,
    IdentityCenter,
    Issuer,
    LockMode,
    LogFormat,
    LogService,
    OnCall,
    Organization,
    Person,
    Region,
    Retention,
    Reviews,
    Shape,
    Stage,
    Standing,
    check,
)
from stacks.synthesis import new_app


def _stage(name: str, number: int, **more: object) -> Stage:
    return Stage(
        name=name,
        account=AccountId(str(910000000000 + number)),
        network=IPv4Network(f"172.{16 + number}.0.0/20"),
        domain=Domain(name=f"{name}.globex.example", hosted_zone_id=f"ZGLOBEX{number}"),
        issuer=Issuer(url=f"https://id.{name}.globex.example/", audience=f"globex-{name}"),
        **more,  # type: ignore[arg-type]
    )


_ELSEWHERE = Deployment(
    name="globex",
    prefix="globexcorp1",
    residency="US",
    home=Region(name="us-west-2", zones=("us-west-2a", "us-west-2b", "us-west-2d")),
    recovery=Region(name="us-east-2", zones=("us-east-2a", "us-east-2b", "us-east-2c")),
    organization=Organization(
        id="o-globex0001",
        root_id="r-glbx",
        identity_center=IdentityCenter(
            region="us-east-1", instance_arn="arn:aws:sso:::instance/ssoins-00112233aabbccdd", store_id="d-0011223344"
        ),
    ),
    accounts=Accounts(
        management=AccountId("900000000001"),
        log_archive=AccountId("900000000002"),
        security=AccountId("900000000003"),
        backup=AccountId("900000000004"),
        deployment=AccountId("900000000005"),
    ),
    contacts=Contacts(
        security="s@globex.example", operations="o@globex.example", billing="b@globex.example", phone="+1 206 555 0100"
    ),
    on_call=OnCall(
        zone="America/Los_Angeles", first=date(2026, 3, 3), people=(Person(name="red", email="red@globex.example"),)
    ),
    stages=(
        _stage("sandbox", 1, lock_mode=LockMode.GOVERNANCE, standing=Standing.ENGINEER),
        _stage("staging", 2, lock_mode=LockMode.GOVERNANCE, vendors=("api.vendor.example",)),
        _stage("production01", 3, shape=Shape(nat_gateways=3, aurora_instances=2, egress=Egress.NETWORK_FIREWALL)),
    ),
    allowed_networks=(IPv4Network("203.0.113.64/29"),),
    reviews=Reviews(
        admin=("red@globex.example", "blue@globex.example"), access=("red@globex.example", "blue@globex.example")
    ),
    emergency_identities=("arn:aws:iam::900000000001:user/red", "arn:aws:iam::900000000001:user/blue"),
    retention=Retention(
        server_log_days=30, audit_log_days=3653, network_log_days=180, audit_archive_days=2557, documents_days=365
    ),
)

_HOSTED_BY_A_CUSTOMER = dataclasses.replace(
    _ELSEWHERE,
    name="customer",
    prefix="cst",
    residency="Canada",
    home=Region(name="ca-central-1", zones=("ca-central-1a", "ca-central-1b", "ca-central-1d")),
    recovery=Region(name="ca-west-1", zones=("ca-west-1a", "ca-west-1b", "ca-west-1c")),
    organization=None,
    accounts=dataclasses.replace(_ELSEWHERE.accounts, management=None),
    emergency_identities=("arn:aws:iam::900000000003:user/only",),
    stages=(
        _stage(
            "live",
            1,
            log_service=LogService(
                url="https://http-inputs-globex.splunkcloud.example/services/collector/event", format=LogFormat.SPLUNK
            ),
        ),
    ),
)


@pytest.fixture(scope="module", params=[_ELSEWHERE, _HOSTED_BY_A_CUSTOMER], ids=lambda deployment: deployment.name)
def fork(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Deployment, Assembly]:
    """A fork's deployment and its assembly, without the policy packs, which the fixture's synthesis runs."""
    deployment: Deployment = request.param
    directory = tmp_path_factory.mktemp(deployment.name) / "cdk.out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CDK_VALIDATION", "false")
        build(new_app(outdir=directory), check(deployment)).synth()
    return deployment, load(directory)


def test_a_fork_builds_and_breaks_no_invariant(fork: tuple[Deployment, Assembly]) -> None:
    deployment, assembly = fork
    found = invariants(assembly, scope_of(assembly, deployment), (), today=date(2026, 1, 1))
    assert not found, "\n".join(map(str, found))


def test_a_fork_has_stacks_for_each_of_its_stages(fork: tuple[Deployment, Assembly]) -> None:
    deployment, assembly = fork
    for stage in deployment.stages:
        subjects = {stack.name for stack in assembly.stacks if stack.account == stage.account}
        assert {f"{stage.name}-{subject}" for subject in ("keys", "network", "data", "edge", "backup")} <= subjects


def test_nothing_of_the_reference_is_left_in_a_fork(fork: tuple[Deployment, Assembly]) -> None:
    deployment, assembly = fork
    for stack in assembly.stacks:
        text = stack.template_file.read_text(encoding="utf-8")
        # The trail's table finds what happened in any region.
        text = re.sub(r'"projection.region.values": "[^"]*"', "", text)
        for word in ("palisade-", "eu-west-1", "o-a1b2c3d4e5", "666666666666"):
            assert word not in text.replace("cdk-hnb659fds", ""), f"{stack.name} holds {word}"
        if deployment.organization is None:
            assert "PrincipalOrgID" not in text, f"{stack.name} speaks of an organization"
