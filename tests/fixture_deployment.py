"""The library's own deployment for tests, unlike the reference in every value, so that no test leans on a fork's."""

from __future__ import annotations

from datetime import date, datetime, time
from ipaddress import IPv4Network

from stacks.settings import (
    AccountId,
    Accounts,
    Chat,
    ChatPerson,
    Contacts,
    Cover,
    Deployment,
    DirectoryGroup,
    Domain,
    Egress,
    IdentityCenter,
    Issuer,
    Job,
    LockMode,
    LogFormat,
    LogService,
    OnCall,
    Organization,
    Person,
    Region,
    Retention,
    Reviews,
    SamlProvider,
    Shape,
    Shield,
    Stage,
    Standing,
    UserDirectory,
)

FIXTURE = Deployment(
    name="fixture",
    prefix="acme",
    residency="EU",
    home=Region(name="eu-central-1", zones=("eu-central-1a", "eu-central-1b", "eu-central-1c")),
    recovery=Region(name="eu-west-1", zones=("eu-west-1a", "eu-west-1b", "eu-west-1c")),
    organization=Organization(
        id="o-fixture1234",
        root_id="r-fix1",
        identity_center=IdentityCenter(
            region="eu-central-1",
            instance_arn="arn:aws:sso:::instance/ssoins-fedcba9876543210",
            store_id="d-9876543210",
            groups=(DirectoryGroup(job=Job.BILLING, id="9876543210-aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"),),
        ),
    ),
    accounts=Accounts(
        management=AccountId("100000000001"),
        log_archive=AccountId("100000000002"),
        security=AccountId("100000000003"),
        backup=AccountId("100000000004"),
        deployment=AccountId("100000000005"),
    ),
    contacts=Contacts(
        security="security@acme.example",
        operations="operations@acme.example",
        billing="billing@acme.example",
        phone="+49 30 5550100",
    ),
    on_call=OnCall(
        zone="Europe/Berlin",
        first=date(2026, 1, 6),
        at=time(10, 30),
        people=(
            Person(name="grace", email="grace@acme.example"),
            Person(name="linus", email="linus@acme.example"),
        ),
        management=(Person(name="margaret", email="margaret@acme.example"),),
        covers=(
            Cover(
                person="margaret",
                begins=datetime.fromisoformat("2026-12-24T12:00"),
                ends=datetime.fromisoformat("2026-12-27T10:00"),
            ),
        ),
        holidays=(date(2026, 5, 1), date(2026, 12, 25)),
    ),
    chat=Chat(
        host="requests.acme.example",
        hosted_zone_id="Z0000000REQUESTS",
        workspace="T0ACME",
        people=(ChatPerson(id="U0ADA", name="ada@acme.example"), ChatPerson(id="W0BEN", name="ben@acme.example")),
        answer_hosts=("hooks.slack.com", "hooks.acme.example"),
        approvals=(Job.OPERATOR,),
    ),
    stages=(
        Stage(
            name="dev",
            account=AccountId("200000000001"),
            network=IPv4Network("10.64.0.0/18"),
            domain=Domain(name="dev.acme.example", hosted_zone_id="Z0000000000DEV"),
            issuer=Issuer(url="https://login.dev.acme.example/", audience="acme-dev"),
            lock_mode=LockMode.GOVERNANCE,
            standing=Standing.ENGINEER,
            vendors=("api.vendor.example", "*.models.example"),
        ),
        Stage(
            name="prod",
            account=AccountId("200000000002"),
            network=IPv4Network("10.128.0.0/16"),
            domain=Domain(name="acme.example", hosted_zone_id="Z000000000PROD"),
            directory=UserDirectory(
                saml=(
                    SamlProvider(name="Initech", tenant="initech", metadata_url="https://sso.initech.example/saml"),
                    SamlProvider(name="Umbrella", tenant="umbrella", metadata_url="https://umbrella.example/idp/saml"),
                ),
                google_client_id="123456789012-acme.apps.googleusercontent.com",
            ),
            vendors=("api.vendor.example",),
            log_service=LogService(url="https://intake.logs.example/api/v2/logs", format=LogFormat.DATADOG),
            shape=Shape(
                nat_gateways=3,
                endpoint_zones=3,
                aurora_instances=3,
                aurora_min_capacity=1.0,
                aurora_max_capacity=8.0,
                canary_minutes=5,
                egress=Egress.NETWORK_FIREWALL,
                shield=Shield.ADVANCED,
            ),
        ),
    ),
    allowed_networks=(IPv4Network("198.51.100.16/28"), IPv4Network("192.0.2.7/32")),
    emergency_identities=(
        "arn:aws:iam::100000000003:user/emergency/ada",
        "arn:aws:iam::100000000003:user/emergency/grace",
    ),
    reviews=Reviews(
        admin=("grace@acme.example", "hedy@acme.example"),
        access=("grace@acme.example", "hedy@acme.example", "ida@acme.example"),
    ),
    retention=Retention(server_log_days=14, audit_log_days=400, documents_days=60),
)
