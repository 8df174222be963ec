"""The reference deployment: an organization in the EU with a sandbox and a live stage.

Every id here is a placeholder. Replace account ids, organization ids, domain names and hosted zones with your own.
"""

from datetime import date
from ipaddress import IPv4Network

from stacks.settings import (
    AccountId,
    Accounts,
    Chat,
    ChatPerson,
    Contacts,
    Deployment,
    Domain,
    IdentityCenter,
    LockMode,
    LogService,
    OnCall,
    Organization,
    Person,
    Region,
    Reviews,
    SamlProvider,
    Shape,
    Stage,
    Standing,
    UserDirectory,
)

DEPLOYMENT = Deployment(
    name="reference",
    prefix="palisade",
    residency="EU",
    home=Region(name="eu-west-1", zones=("eu-west-1a", "eu-west-1b", "eu-west-1c")),
    recovery=Region(name="eu-central-1", zones=("eu-central-1a", "eu-central-1b", "eu-central-1c")),
    organization=Organization(
        id="o-a1b2c3d4e5",
        root_id="r-ab12",
        identity_center=IdentityCenter(
            region="eu-west-1", instance_arn="arn:aws:sso:::instance/ssoins-0123456789abcdef", store_id="d-0123456789"
        ),
    ),
    accounts=Accounts(
        management=AccountId("111111111111"),
        log_archive=AccountId("222222222222"),
        security=AccountId("333333333333"),
        backup=AccountId("444444444444"),
        deployment=AccountId("555555555555"),
    ),
    contacts=Contacts(
        security="security@example.com",
        operations="operations@example.com",
        billing="billing@example.com",
        phone="+353 1 555 0100",
    ),
    on_call=OnCall(
        zone="Europe/Dublin",
        first=date(2026, 1, 5),
        people=(
            Person(name="ada", email="ada@example.com"),
            Person(name="ben", email="ben@example.com"),
            Person(name="cem", email="cem@example.com"),
        ),
        management=(Person(name="mia", email="mia@example.com"),),
        holidays=(date(2026, 12, 25), date(2027, 1, 1)),
    ),
    stages=(
        Stage(
            name="sandbox",
            account=AccountId("666666666666"),
            network=IPv4Network("10.16.0.0/16"),
            domain=Domain(name="sandbox.example.com", hosted_zone_id="Z0000000SANDBOX"),
            directory=UserDirectory(
                saml=(
                    SamlProvider(
                        name="Example", tenant="example", metadata_url="https://idp.example.com/sandbox/metadata"
                    ),
                ),
                google_client_id="000000000000-sandbox.apps.googleusercontent.com",
            ),
            lock_mode=LockMode.GOVERNANCE,
            standing=Standing.ENGINEER,
            vendors=("api.anthropic.com",),
        ),
        Stage(
            name="live",
            account=AccountId("777777777777"),
            network=IPv4Network("10.32.0.0/16"),
            domain=Domain(name="app.example.com", hosted_zone_id="Z00000000000LIVE"),
            directory=UserDirectory(
                saml=(SamlProvider(name="Example", tenant="example", metadata_url="https://idp.example.com/metadata"),),
                google_client_id="000000000000-live.apps.googleusercontent.com",
            ),
            vendors=("api.anthropic.com",),
            log_service=LogService(url="https://logs.example.com/audit"),
            shape=Shape(
                nat_gateways=3,
                endpoint_zones=3,
                aurora_instances=3,
                aurora_min_capacity=0.5,
                aurora_max_capacity=16.0,
                canary_minutes=5,
            ),
        ),
    ),
    chat=Chat(
        host="chat.example.com",
        hosted_zone_id="Z00000000000CHAT",
        workspace="T0000000000",
        people=(
            ChatPerson(id="U0000000001", name="ada@example.com"),
            ChatPerson(id="U0000000002", name="ben@example.com"),
        ),
    ),
    allowed_networks=(IPv4Network("203.0.113.0/28"),),
    emergency_identities=(
        "arn:aws:iam::111111111111:user/emergency-1",
        "arn:aws:iam::111111111111:user/emergency-2",
    ),
    reviews=Reviews(admin=("ada@example.com", "ben@example.com"), access=("ada@example.com", "ben@example.com")),
)
