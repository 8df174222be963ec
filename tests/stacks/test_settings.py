"""Configuration: what is refused, all at once and in words that help; what is accepted, whatever the values."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from datetime import datetime
from ipaddress import IPv4Network
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stacks.settings import (
    CLOUDWATCH_RETENTION_DAYS,
    RESIDENCY_AREAS,
    SHORTEST_LOG_DAYS,
    WITHOUT_CENTRAL_DETECTION,
    AccountId,
    Accounts,
    ConfigError,
    Contacts,
    Deployment,
    DirectoryGroup,
    Domain,
    IdentityCenter,
    Issuer,
    Job,
    LockMode,
    LogService,
    Organization,
    Person,
    Region,
    Retention,
    Reviews,
    SamlProvider,
    Shape,
    Stage,
    Throttle,
    UserDirectory,
    check,
    named,
)
from tests.fixture_deployment import FIXTURE

Change = Callable[[Deployment], Deployment]


def _deployment(**changes: Any) -> Change:
    return lambda deployment: dataclasses.replace(deployment, **changes)


def _part(part: str, **changes: Any) -> Change:
    return lambda deployment: dataclasses.replace(
        deployment, **{part: dataclasses.replace(getattr(deployment, part), **changes)}
    )


def _stage(**changes: Any) -> Change:
    """Change the first stage."""
    return lambda deployment: dataclasses.replace(
        deployment, stages=(dataclasses.replace(deployment.stages[0], **changes), *deployment.stages[1:])
    )


def _zones(*zones: str) -> Change:
    return _part("home", zones=zones)


def _saml(*providers: SamlProvider) -> Change:
    return _stage(issuer=None, directory=UserDirectory(saml=providers))


_REFUSED: dict[str, tuple[Change, str]] = {
    "a name that is no module": (_deployment(name="My-Deployment"), r"name 'My-Deployment' must be"),
    "a long prefix": (_deployment(prefix="twelveletter"), r"prefix 'twelveletter' must be"),
    "a prefix in capitals": (_deployment(prefix="Acme"), r"prefix 'Acme' must be"),
    "an organization without a management account": (_part("accounts", management=None), r"go together"),
    "a management account without an organization": (_deployment(organization=None), r"go together"),
    "a malformed organization": (_part("organization", id="o-1"), r"organization\.id 'o-1' must look like"),
    "a malformed root": (_part("organization", root_id="root"), r"organization\.root_id 'root' must look like"),
    "a short account id": (_part("accounts", backup=AccountId("12345")), r"accounts\.backup '12345' must be 12 digits"),
    "an account without quotes": (
        _part("accounts", backup=444444444444),
        r"accounts\.backup is 444444444444.*in quotes",
    ),
    "one account in two roles": (
        _part("accounts", backup=FIXTURE.accounts.security),
        r"accounts\.backup 100000000003 is also accounts\.security",
    ),
    "one account in a role and a stage": (
        _stage(account=FIXTURE.accounts.log_archive),
        r"stage dev: account 100000000002 is also accounts\.log_archive",
    ),
    "an unknown residency": (_deployment(residency="Moon"), r"residency 'Moon' is not one of"),
    "a region outside the residency area": (
        _deployment(recovery=Region(name="us-east-1", zones=("us-east-1a", "us-east-1b", "us-east-1c"))),
        r"recovery region us-east-1 is outside the residency area EU",
    ),
    "an unknown region": (
        _deployment(home=Region(name="eu-nowhere-1", zones=("eu-nowhere-1a", "eu-nowhere-1b", "eu-nowhere-1c"))),
        r"home region 'eu-nowhere-1' is not a region this library knows",
    ),
    "two zones": (_zones("eu-central-1a", "eu-central-1b"), r"names 2 different availability zones"),
    "four zones": (_zones(*(f"eu-central-1{z}" for z in "abcd")), r"names 4 different availability zones"),
    "one zone thrice": (_zones(*["eu-central-1a"] * 3), r"names 1 different availability zones"),
    "a zone of another region": (
        _zones("eu-central-1a", "eu-central-1b", "eu-west-1c"),
        r"zone 'eu-west-1c' is not in",
    ),
    "a home that gathers nothing": (
        _deployment(home=Region(name="eu-south-1", zones=("eu-south-1a", "eu-south-1b", "eu-south-1c"))),
        r"home region eu-south-1 cannot gather an organization's findings",
    ),
    "home and recovery alike": (_deployment(recovery=FIXTURE.home), r"home and recovery are both eu-central-1"),
    "nobody on call": (_part("on_call", people=()), r"on_call\.people is empty, so nobody would be called"),
    "a zone that is none": (_part("on_call", zone="Dublin"), r"on_call\.zone 'Dublin' is not a time zone"),
    "somebody on call twice": (
        _part("on_call", management=(FIXTURE.on_call.people[0],)),
        r"on_call names grace 2 times",
    ),
    "somebody on call who cannot be named": (
        _part("on_call", people=(Person(name="Grace H", email="grace"),)),
        r"on_call names 'Grace H'; a name must be the user name",
    ),
    "a cover by a stranger": (
        _part("on_call", covers=(dataclasses.replace(FIXTURE.on_call.covers[0], person="eve"),)),
        r"on_call\.covers: eve from 2026-12-24 12:00:00 is none of grace, linus, margaret",
    ),
    "a cover that ends before it begins": (
        _part(
            "on_call",
            covers=(dataclasses.replace(FIXTURE.on_call.covers[0], ends=datetime.fromisoformat("2026-01-01")),),
        ),
        r"ends at 2026-01-01 00:00:00, before it begins",
    ),
    "a cover with a zone": (
        _part(
            "on_call",
            covers=(dataclasses.replace(FIXTURE.on_call.covers[0], ends=datetime.fromisoformat("2026-12-30T00:00Z")),),
        ),
        r"names a zone; covers are times of the wall clock in Europe/Berlin",
    ),
    "more covers than a function holds": (
        _part("on_call", covers=FIXTURE.on_call.covers * 80),
        r"on_call takes \d+ characters; 3000 fit",
    ),
    "a missing contact": (_part("contacts", security=""), r"contacts\.security '' must be an e-mail address"),
    "no stage": (_deployment(stages=()), r"stages is empty"),
    "two stages of one name": (
        lambda d: dataclasses.replace(d, stages=(d.stages[0], dataclasses.replace(d.stages[1], name="dev"))),
        r"stage dev is defined 2 times",
    ),
    "a stage named like a role": (_stage(name="backup"), r"stage name 'backup' must be"),
    "a list for a tuple": (_deployment(stages=list(FIXTURE.stages)), r"stages is \[.*must be a tuple"),
    "a malformed domain": (
        _stage(domain=Domain(name="Example", hosted_zone_id="Z123456789")),
        r"domain\.name 'Example'",
    ),
    "a malformed zone id": (
        _stage(domain=Domain(name="a.example", hosted_zone_id="zone")),
        r"domain\.hosted_zone_id 'zone' must look like",
    ),
    "three origin secrets": (
        _stage(domain=Domain(name="a.example", hosted_zone_id="Z1234567", origin_secrets=(1, 2, 3))),
        r"domain\.origin_secrets \(1, 2, 3\)",
    ),
    "an issuer over plain HTTP": (_stage(issuer=Issuer(url="http://a.example", audience="a")), r"issuer\.url 'http://"),
    "an empty audience": (_stage(issuer=Issuer(url="https://a.example/", audience="")), r"issuer\.audience is empty"),
    "an issuer beside a directory": (
        _stage(directory=UserDirectory(google_client_id="1.apps.googleusercontent.com")),
        r"directory opens the stage's own user pool, but issuer https://login\.dev\.acme\.example/ takes its place",
    ),
    "a provider named like Cognito's own": (
        _saml(SamlProvider(name="COGNITO", tenant="a", metadata_url="https://a.example/saml")),
        r"directory\.saml 'COGNITO' must be 3 to 32",
    ),
    "two providers of one name": (
        _saml(*[SamlProvider(name="Acme", tenant="a", metadata_url="https://a.example/saml")] * 2),
        r"directory\.saml names Acme 2 times",
    ),
    "a provider of a malformed tenant": (
        _saml(SamlProvider(name="Acme", tenant="A/B", metadata_url="https://a.example/saml")),
        r"tenant 'A/B' must be",
    ),
    "metadata over plain HTTP": (
        _saml(SamlProvider(name="Acme", tenant="a", metadata_url="http://a.example/saml")),
        r"metadata_url 'http://a\.example/saml' must be an https:// URL",
    ),
    "a Google client that is none": (
        _stage(issuer=None, directory=UserDirectory(google_client_id="acme")),
        r"google_client_id 'acme' must end in",
    ),
    "a sign-in host that AWS refuses": (
        lambda d: dataclasses.replace(_stage(issuer=None)(d), prefix="myaws"),
        r"begin with myaws-dev, which AWS refuses for the word aws",
    ),
    "a vendor with a path": (_stage(vendors=("api.example.com/v1",)), r"vendor 'api\.example\.com/v1' must be a host"),
    **{
        f"a log service at {url}": (
            _stage(log_service=LogService(url=url)),
            rf"log_service\.url {re.escape(repr(url))} must",
        )
        for url in (
            "http://logs.example.com/audit",
            "https://10.0.0.1/audit",
            "https://2130706433/audit",
            "https://0x7f.0.0.1/audit",
            "https://[::1]/audit",
            "https://localhost/audit",
            "https://collector.internal/audit",
            "https://user:secret@logs.example.com/audit",
            "https://logs.example.com@169.254.169.254/",
            "https://logs.example.com:8088/audit",
            "https://logs.example.com/audit?token=secret",
            "https://logs.example.com/audit#part",
            "https://Logs.example.com/audit",
            "logs.example.com",
        )
    },
    "a burst below the rate": (_stage(throttle=Throttle(rate_per_second=20, burst=10)), r"throttle of 20 a second"),
    "two NAT gateways": (_stage(shape=Shape(nat_gateways=2)), r"shape\.nat_gateways is 2; it must be 1 or 3"),
    "four database instances": (_stage(shape=Shape(aurora_instances=4)), r"shape\.aurora_instances is 4"),
    "a canary every two hours": (_stage(shape=Shape(canary_minutes=120)), r"shape\.canary_minutes is 120"),
    "a capacity between steps": (_stage(shape=Shape(aurora_min_capacity=0.3)), r"Aurora capacity 0\.3 to"),
    "a public network": (_stage(network=IPv4Network("8.8.0.0/16")), r"network 8\.8\.0\.0/16 must be a private block"),
    "a network too small": (_stage(network=IPv4Network("10.0.0.0/24")), r"network 10\.0\.0\.0/24 must be a private"),
    "overlapping networks": (
        _stage(network=IPv4Network("10.128.128.0/18")),
        r"stage prod: network 10\.128\.0\.0/16 overlaps stage dev \(10\.128\.128\.0/18\)\. Pick a free block",
    ),
    "retention that CloudWatch does not offer": (
        _part("retention", server_log_days=10),
        r"retention\.server_log_days is 10; CloudWatch Logs does not offer it\. The nearest it offers is (7|14)",
    ),
    "logs for three days": (_part("retention", audit_log_days=3), r"retention\.audit_log_days is 3"),
    "an archive of a week": (_part("retention", audit_archive_days=7), r"retention\.audit_archive_days is 7"),
    "backups for 40 days": (_part("retention", database_backup_days=40), r"retention\.database_backup_days is 40"),
    "copies for a day": (_part("retention", copied_backup_days=1), r"retention\.copied_backup_days is 1"),
    "monthly copies for a week": (_part("retention", monthly_backup_days=7), r"retention\.monthly_backup_days is 7"),
    "documents gone before their backups": (
        _part("retention", documents_days=10),
        r"no day is left to read a document",
    ),
}


@pytest.mark.parametrize(("change", "words"), _REFUSED.values(), ids=_REFUSED.keys())
def test_refuses(change: Change, words: str) -> None:
    with pytest.raises(ConfigError) as refused:
        check(change(FIXTURE))
    assert any(re.search(words, problem) for problem in refused.value.problems), refused.value


@pytest.mark.parametrize(("change", "words"), _REFUSED.values(), ids=_REFUSED.keys())
def test_a_refusal_names_place_value_rule_and_fix(change: Change, words: str) -> None:
    with pytest.raises(ConfigError) as refused:
        check(change(FIXTURE))
    for problem in refused.value.problems:
        place, _, said = problem.partition(": ")
        assert re.fullmatch(r"config/.+\.py", place), problem
        assert said.rstrip().endswith((".", "them.")), problem
        assert len(re.split(r"[.;\"] ", said)) >= 2, f"it states no fix: {problem}"
    assert words


_INDEPENDENT = [
    "a long prefix",
    "a malformed root",
    "a short account id",
    "a missing contact",
    "two zones",
    "overlapping networks",
    "retention that CloudWatch does not offer",
]


@given(st.sets(st.sampled_from(_INDEPENDENT), min_size=2))
@settings(max_examples=30, deadline=None)
def test_lists_every_problem_at_once(faults: set[str]) -> None:
    deployment = FIXTURE
    for fault in sorted(faults):
        deployment = _REFUSED[fault][0](deployment)
    with pytest.raises(ConfigError) as refused:
        check(deployment)
    for fault in faults:
        assert any(re.search(_REFUSED[fault][1], problem) for problem in refused.value.problems), fault
    assert str(refused.value).count("\n") == len(refused.value.problems)


def test_the_fixture_is_accepted() -> None:
    assert check(FIXTURE) is FIXTURE


# ------------------------------------------------------------------------------------------------ any valid deployment

_letters = st.characters(min_codepoint=97, max_codepoint=122)
_words = st.text(_letters, min_size=2, max_size=8)
_hosts = st.lists(_words, min_size=2, max_size=4).map(".".join)
_accounts = st.integers(min_value=10**11, max_value=10**12 - 1).map(lambda number: AccountId(str(number)))


@st.composite
def _regions(draw: st.DrawFn, name: str) -> Region:
    letters = draw(st.permutations("abcdef"))[:3]
    return Region(name=name, zones=tuple(f"{name}{letter}" for letter in letters))


@st.composite
def _retentions(draw: st.DrawFn) -> Retention:
    log_days = st.sampled_from([days for days in CLOUDWATCH_RETENTION_DAYS if days >= SHORTEST_LOG_DAYS])
    archive_days = st.integers(min_value=30, max_value=36500)
    backups = draw(st.integers(min_value=7, max_value=35))
    copies = draw(st.integers(min_value=7, max_value=365))
    return Retention(
        server_log_days=draw(log_days),
        audit_log_days=draw(log_days),
        network_log_days=draw(log_days),
        audit_archive_days=draw(archive_days),
        network_archive_days=draw(archive_days),
        access_archive_days=draw(archive_days),
        document_backup_days=backups,
        documents_days=backups + 5 + draw(st.integers(min_value=1, max_value=3650)),
        database_backup_days=draw(st.integers(min_value=7, max_value=35)),
        copied_backup_days=copies,
        monthly_backup_days=max(copies, backups, 90) + draw(st.integers(min_value=0, max_value=3650)),
    )


@st.composite
def _stages(draw: st.DrawFn, name: str, account: AccountId, index: int) -> Stage:
    rate = draw(st.integers(min_value=1, max_value=5000))
    low = draw(st.integers(min_value=0, max_value=20)) / 2
    length = draw(st.integers(min_value=16, max_value=20))
    return Stage(
        name=name,
        account=account,
        network=IPv4Network(f"10.{index}.0.0/{length}"),
        domain=Domain(name=f"{draw(_hosts)}.example", hosted_zone_id=f"Z{draw(st.integers(10**8, 10**12))}"),
        issuer=draw(st.none() | st.just(Issuer(url=f"https://{draw(_hosts)}.example/", audience=draw(_words)))),
        lock_mode=draw(st.sampled_from(LockMode)),
        vendors=tuple(
            f"{draw(st.sampled_from(['', '*.']))}{host}.example" for host in draw(st.lists(_hosts, max_size=3))
        ),
        throttle=Throttle(rate_per_second=rate, burst=draw(st.integers(min_value=rate, max_value=5000))),
        shape=Shape(
            nat_gateways=draw(st.sampled_from([1, 3])),
            endpoint_zones=draw(st.sampled_from([1, 3])),
            aurora_instances=draw(st.sampled_from([1, 2, 3])),
            aurora_min_capacity=low,
            aurora_max_capacity=max(low, 1.0) + draw(st.integers(min_value=0, max_value=100)) / 2,
            canary_minutes=draw(st.integers(min_value=1, max_value=60)),
        ),
    )


_ROLES = frozenset({"management", "security", "backup", "deployment", "organization", "analysis"})
"""What no stage may be called, because other stacks begin so."""


def _may_begin_a_host(text: str) -> bool:
    """Whether a sign-in host may hold the text: it holds no word that AWS keeps for itself."""
    return not any(word in text for word in ("amazon", "aws", "cognito"))


@st.composite
def deployments(draw: st.DrawFn) -> Deployment:
    """Any deployment that keeps the rules."""
    residency = draw(st.sampled_from(sorted(area for area, regions in RESIDENCY_AREAS.items() if len(regions) > 1)))
    home = draw(st.sampled_from(sorted(RESIDENCY_AREAS[residency] - WITHOUT_CENTRAL_DETECTION)))
    recovery = draw(st.sampled_from(sorted(RESIDENCY_AREAS[residency] - {home})))
    names = draw(
        st.lists(
            _words.filter(
                lambda word: word not in {"management", "security", "backup", "deployment", "organization", "analysis"}
            ).filter(_may_begin_a_host),
            min_size=1,
            max_size=5,
            unique=True,
        )
    )
    accounts = draw(st.lists(_accounts, min_size=5 + len(names), max_size=5 + len(names), unique=True))
    organized = draw(st.booleans())
    return Deployment(
        name=draw(_words),
        prefix=draw(st.text(_letters, min_size=3, max_size=11).filter(_may_begin_a_host)),
        residency=residency,
        home=draw(_regions(home)),
        recovery=draw(_regions(recovery)),
        organization=Organization(
            id="o-abcde12345",
            root_id="r-ab12",
            identity_center=IdentityCenter(
                region="eu-central-1",
                instance_arn="arn:aws:sso:::instance/ssoins-0011223344556677",
                store_id="d-a1b2c3d4e5",
            ),
        )
        if organized
        else None,
        accounts=Accounts(
            management=accounts[0] if organized else None,
            log_archive=accounts[1],
            security=accounts[2],
            backup=accounts[3],
            deployment=accounts[4],
        ),
        contacts=Contacts(
            security="a@b.example", operations="c@d.example", billing="e@f.example", phone="+44 20 5550100"
        ),
        on_call=FIXTURE.on_call,
        stages=tuple(
            draw(_stages(name, account, index))
            for index, (name, account) in enumerate(zip(names, accounts[5:], strict=True))
        ),
        allowed_networks=(IPv4Network("203.0.113.0/24"),),
        emergency_identities=(f"arn:aws:iam::{accounts[1]}:user/one", f"arn:aws:iam::{accounts[1]}:user/two"),
        reviews=Reviews(admin=("ada", "ben"), access=("ben", "cleo")),
        retention=draw(_retentions()),
    )


def test_refuses_a_guarded_stage_that_nobody_could_enter() -> None:
    with pytest.raises(ConfigError, match="allowed_networks is empty, so nobody could enter stage prod"):
        check(dataclasses.replace(FIXTURE, allowed_networks=()))


@pytest.mark.parametrize("network", ["10.0.0.0/24", "0.0.0.0/0", "8.0.0.0/8"])
def test_refuses_an_allowed_network_that_is_private_or_half_the_world(network: str) -> None:
    with pytest.raises(ConfigError, match=rf"allowed_networks names {network}; it must be public"):
        check(dataclasses.replace(FIXTURE, allowed_networks=(IPv4Network(network),)))


@pytest.mark.parametrize(
    ("field", "value"), [("region", "mars-1"), ("instance_arn", "arn:aws:sso:::x"), ("store_id", "store")]
)
def test_refuses_an_identity_center_that_cannot_be(field: str, value: str) -> None:
    organization = FIXTURE.organization
    assert organization is not None
    center = dataclasses.replace(organization.identity_center, **{field: value})  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=rf"organization.identity_center.{field} '{value}'"):
        check(dataclasses.replace(FIXTURE, organization=dataclasses.replace(organization, identity_center=center)))


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        ((DirectoryGroup(job=Job.BILLING, id="billing"),), "id 'billing' of billing is no group's"),
        (
            (
                DirectoryGroup(job=Job.BILLING, id="aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"),
                DirectoryGroup(job=Job.BILLING, id="aaaaaaaa-bbbb-4ccc-8ddd-ffffffffffff"),
            ),
            "billing has 2 groups",
        ),
    ],
)
def test_refuses_a_group_that_cannot_be(groups: tuple[DirectoryGroup, ...], words: str) -> None:
    organization = FIXTURE.organization
    assert organization is not None
    center = dataclasses.replace(organization.identity_center, groups=groups)
    with pytest.raises(ConfigError, match=words):
        check(dataclasses.replace(FIXTURE, organization=dataclasses.replace(organization, identity_center=center)))


@pytest.mark.parametrize(
    ("identities", "words"),
    [
        ((), "names 0 users; name at least two"),
        (("arn:aws:iam::100000000001:user/ada",) * 2, "names 1 users"),
        (
            ("arn:aws:iam::100000000001:role/ada", "arn:aws:iam::100000000001:user/ada"),
            "only a user's session proves its MFA",
        ),
        (
            ("arn:aws:iam::200000000002:user/ada", "arn:aws:iam::100000000001:user/ada"),
            "which is in none of the accounts backup, deployment",
        ),
    ],
)
def test_refuses_emergency_identities_that_would_fail_in_an_emergency(identities: tuple[str, ...], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        check(dataclasses.replace(FIXTURE, emergency_identities=identities))


def test_refuses_more_stages_than_a_permission_set_holds() -> None:
    stages = [
        dataclasses.replace(
            FIXTURE.stages[1], name=f"s{n}x", account=AccountId(f"{n:012d}"), network=IPv4Network(f"10.{n}.0.0/16")
        )
        for n in range(1, 7)
    ]
    check(dataclasses.replace(FIXTURE, stages=(FIXTURE.stages[0], *stages[:5])))
    with pytest.raises(ConfigError, match="are 6 of read-only standing; the permission sets for them hold 5 at most"):
        check(dataclasses.replace(FIXTURE, stages=(FIXTURE.stages[0], *stages)))


@given(deployments())
@settings(max_examples=100, deadline=None)
def test_accepts_any_deployment_that_keeps_the_rules(deployment: Deployment) -> None:
    assert check(deployment) is deployment
    assert len(set(deployment.account_ids)) == len(deployment.account_ids)
    assert deployment.retention.document_live_days >= 1


@given(deployments(), st.data())
@settings(max_examples=60, deadline=None)
def test_refuses_any_deployment_in_which_two_share_an_account(deployment: Deployment, data: st.DataObject) -> None:
    taken = data.draw(st.sampled_from(deployment.account_ids[:-1]))
    shared = dataclasses.replace(deployment.stages[-1], account=taken)
    with pytest.raises(ConfigError, match=rf"{taken} is also"):
        check(dataclasses.replace(deployment, stages=(*deployment.stages[:-1], shared)))


@given(deployments(), st.integers(min_value=0, max_value=40000))
@settings(max_examples=60, deadline=None)
def test_log_retention_is_what_cloudwatch_offers_or_refused(deployment: Deployment, days: int) -> None:
    changed = dataclasses.replace(deployment, retention=dataclasses.replace(deployment.retention, audit_log_days=days))
    if days in CLOUDWATCH_RETENTION_DAYS and days >= SHORTEST_LOG_DAYS:
        assert check(changed)
    else:
        with pytest.raises(ConfigError, match="audit_log_days"):
            check(changed)


_ANYTHING: st.SearchStrategy[object] = st.one_of(
    st.none(), st.integers(), st.text(max_size=3), st.booleans(), st.floats(), st.lists(st.integers(), max_size=2)
)


@given(st.sampled_from([field.name for field in dataclasses.fields(Deployment)]), _ANYTHING)
@settings(max_examples=150, deadline=None)
def test_whatever_stands_in_a_field_there_is_no_traceback(field: str, value: object) -> None:
    with_nonsense = dataclasses.replace(FIXTURE, **{field: value})  # type: ignore[arg-type]
    try:
        check(with_nonsense)
    except ConfigError as refused:
        assert refused.problems  # noqa: PT017


@given(st.sampled_from([field.name for field in dataclasses.fields(Stage)]), _ANYTHING)
@settings(max_examples=150, deadline=None)
def test_whatever_stands_in_a_stage_there_is_no_traceback(field: str, value: object) -> None:
    try:
        check(_stage(**{field: value})(FIXTURE))
    except ConfigError as refused:
        assert refused.problems  # noqa: PT017


def test_refuses_a_module_that_holds_no_deployment() -> None:
    with pytest.raises(ConfigError, match="DEPLOYMENT must be a Deployment, got NoneType"):
        named(None, "acme")


def test_refuses_a_deployment_named_unlike_its_file() -> None:
    with pytest.raises(ConfigError, match=r"name is 'fixture' but the file is acme\.py"):
        named(FIXTURE, "acme")


@pytest.mark.parametrize(
    ("reviews", "words"),
    [
        (Reviews(), "reviews.admin has 0 different names, but 2 people sign"),
        (Reviews(admin=("ada", "ADA"), access=("ada", "ben")), "reviews.admin has 2 different names"),
        (Reviews(admin=("ada", "ben"), access=("ada lovelace", "ben")), "is no user name of Identity Center"),
        (dataclasses.replace(FIXTURE.reviews, due_days=40), "reviews.due_days 40 must be 1 to 28"),
        (dataclasses.replace(FIXTURE.reviews, unused_days=0), "reviews.unused_days 0 must be 1 to 90"),
        (dataclasses.replace(FIXTURE.reviews, remind_days=(3, 14)), "must lie between the first day and due_days"),
    ],
)
def test_refuses_reviews_that_nobody_could_sign_in_time(reviews: Reviews, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        check(dataclasses.replace(FIXTURE, reviews=reviews))
