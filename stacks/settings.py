"""The types of one deployment, the only place of defaults, and every check of what ``config/`` says.

Values live in ``config/<deployment>.py``; this module gives them meaning and refuses what cannot work. Everything is
checked, then one :class:`ConfigError` lists every problem with place, rule, value and fix.
"""

from __future__ import annotations

import dataclasses
import enum
import json
import re
import typing
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from ipaddress import IPv4Network
from typing import Any, NewType
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

AccountId = NewType("AccountId", str)
"""Twelve digits."""

EDGE_REGION = "us-east-1"
"""CloudFront reads its certificate and web ACL from here, whatever the home region.
https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cnames-and-https-requirements.html"""

RESIDENCY_AREAS: Mapping[str, frozenset[str]] = {
    "EU": frozenset(
        {"eu-central-1", "eu-west-1", "eu-west-3", "eu-north-1", "eu-south-1", "eu-south-2"},
    ),
    "UK": frozenset({"eu-west-2"}),
    "EU and UK": frozenset(
        {"eu-central-1", "eu-west-1", "eu-west-2", "eu-west-3", "eu-north-1", "eu-south-1", "eu-south-2"},
    ),
    "US": frozenset({"us-east-1", "us-east-2", "us-west-1", "us-west-2"}),
    "Canada": frozenset({"ca-central-1", "ca-west-1"}),
    "Australia": frozenset({"ap-southeast-2", "ap-southeast-4"}),
    "Japan": frozenset({"ap-northeast-1", "ap-northeast-3"}),
    "India": frozenset({"ap-south-1", "ap-south-2"}),
}
"""Where customer data may live. An area is a promise to customers, not a network distance.
https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html"""

CLOUDWATCH_RETENTION_DAYS = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip
"""https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html"""

LEAST_REVIEWERS = 2
"""Who must sign an access review, at least."""

SHORTEST_LOG_DAYS = 7
SHORTEST_ARCHIVE_DAYS = 30
SHORTEST_BACKUP_DAYS = 7
SHORTEST_MONTHLY_DAYS = 90
"""Least times for which evidence and copies are kept, whatever a deployment saves on; the gate demands the same."""

DELETION_LAG_DAYS = 5
"""What deletion may take after it is due: S3 lifecycle rounds up to midnight twice (current, then non-current for a day)
and works in the background; DynamoDB deletes an expired item within a few days.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html"""


WITHOUT_CENTRAL_DETECTION = frozenset({"ap-south-2", "ap-southeast-4", "ca-west-1", "eu-south-1", "eu-south-2"})
"""Regions in which Security Hub gathers no findings of others and configures no organization.
https://docs.aws.amazon.com/securityhub/latest/userguide/finding-aggregation.html"""


class ConfigError(Exception):
    """The configuration cannot work. ``problems`` holds one sentence each; the message lists them all."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(("the configuration has problems:", *(f"  - {p}" for p in self.problems))))


@dataclass(frozen=True, kw_only=True)
class Region:
    """A region and its three availability zones by name. Zones are written down so that synth needs no lookup."""

    name: str
    zones: tuple[str, ...]


class Job(enum.Enum):
    """What people do. Each job has a permission set, and a group of those who do it."""

    ENGINEER = "engineer"
    READ_ONLY = "read-only"
    LOG_READER = "log-reader"
    EVIDENCE = "evidence"
    SECURITY = "security"
    RESPONDER = "responder"
    BILLING = "billing"
    OPERATOR = "operator"
    MESSAGING = "messaging"
    DATABASE = "database"
    KEY_ADMINISTRATOR = "key-administrator"
    BREAK_GLASS = "break-glass"
    REQUESTER = "requester"
    APPROVER = "approver"
    REVIEWER = "reviewer"
    DRILLER = "driller"


ON_REQUEST = (Job.OPERATOR, Job.MESSAGING, Job.DATABASE, Job.KEY_ADMINISTRATOR, Job.BREAK_GLASS)
"""Levels of a live stage: nobody does these jobs unasked; whoever is of the job's group may ask to, for a while."""


@dataclass(frozen=True, kw_only=True)
class DirectoryGroup:
    """A group that Identity Center already holds, because an identity provider writes it there (SCIM)."""

    job: Job
    id: str


@dataclass(frozen=True, kw_only=True)
class IdentityCenter:
    """The organization's instance of IAM Identity Center, by which people sign in: made by hand once, in one region.

    ``groups`` exist already; the others are made.
    https://docs.aws.amazon.com/singlesignon/latest/userguide/organization-instances-identity-center.html
    """

    region: str
    instance_arn: str
    store_id: str
    groups: tuple[DirectoryGroup, ...] = ()


@dataclass(frozen=True, kw_only=True)
class NewAccount:
    """An account that does not exist yet. It is made where nothing can be done in it, until a role or stage has its id.

    ``email`` is its root user's address, which no other AWS account may have; at most 64 characters.
    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_create.html
    """

    name: str
    email: str


@dataclass(frozen=True, kw_only=True)
class Organization:
    """The AWS Organization that the accounts belong to. ``id`` is ``o-...``.

    Units and guardrails are made under ``root_id``: the organization's root (``r-...``), or, where the organization has
    other accounts too, a unit that is set aside for this deployment (``ou-...``). ``new_accounts`` are made by the
    management account and outlive their line here (docs/howto/organization.md).
    """

    id: str
    root_id: str
    identity_center: IdentityCenter
    new_accounts: tuple[NewAccount, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Accounts:
    """Accounts by role. ``management`` is None where there is no organization (a customer-hosted deployment)."""

    management: AccountId | None
    log_archive: AccountId
    security: AccountId
    backup: AccountId
    deployment: AccountId


@dataclass(frozen=True, kw_only=True)
class Contacts:
    """Mailboxes, not people: each is read by more than one person. ``phone`` is the number that AWS asks for beside them."""

    security: str
    operations: str
    billing: str
    phone: str


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody who is called. ``name`` is their user name in Identity Center, by which they also acknowledge."""

    name: str
    email: str


@dataclass(frozen=True, kw_only=True)
class Cover:
    """``person`` stands in for whoever is on call, for a holiday or a night: wall-clock times of the rotation's zone."""

    person: str
    begins: datetime
    ends: datetime


@dataclass(frozen=True, kw_only=True)
class OnCall:
    """Who is called for incidents: ``people`` in turn, each for a week, from ``first`` at ``at`` of the wall clock in ``zone``.

    The weekday of ``first`` is that of every hand-over. ``management`` is called besides everybody for P0. ``holidays`` are
    no business days for what is due within one.
    """

    zone: str
    first: date
    people: tuple[Person, ...]
    at: time = time(9)
    management: tuple[Person, ...] = ()
    covers: tuple[Cover, ...] = ()
    holidays: tuple[date, ...] = ()

    @property
    def written(self) -> str:
        """As functions and commands get it: one line of JSON, names without addresses."""
        covers = sorted((one.begins.isoformat(), one.ends.isoformat(), one.person) for one in self.covers)
        return json.dumps(
            {
                "zone": self.zone,
                "first": self.first.isoformat(),
                "at": self.at.isoformat(),
                "people": [person.name for person in self.people],
                "management": [person.name for person in self.management],
                "covers": [[person, begins, ends] for begins, ends, person in covers],
                "holidays": sorted(one.isoformat() for one in self.holidays),
            },
            separators=(",", ":"),
        )


class LockMode(enum.Enum):
    """S3 Object Lock and backup vault lock. Compliance cannot be lifted by anybody before its time;
    governance can, by a principal with the bypass permission, so that a sandbox can be torn down.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html"""

    COMPLIANCE = "COMPLIANCE"
    GOVERNANCE = "GOVERNANCE"


class Standing(enum.Enum):
    """What people may do in a stage without asking: work as engineers, or look at what holds no customer data."""

    ENGINEER = "engineer"
    READ_ONLY = "read-only"


class Egress(enum.Enum):
    """How the allow-list of outside names is enforced: by DNS answers only, or by inspecting the TLS name too."""

    DNS_FIREWALL = "dns-firewall"
    NETWORK_FIREWALL = "network-firewall"


class Shield(enum.Enum):
    """Shield Standard is free and always on. Advanced costs 3,000 USD a month for the organization."""

    STANDARD = "standard"
    ADVANCED = "advanced"


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What a stage may cost. A choice of size and spares, never of protection.

    ``nat_gateways`` and ``endpoint_zones`` are one or three: with one, the loss of that zone stops egress and private
    AWS calls until it is back. Aurora capacity is in Aurora capacity units; a minimum of 0 pauses when idle. The canary
    asks every ``canary_minutes``, and until it does an outage that no customer meets goes unseen.
    """

    nat_gateways: int = 1
    endpoint_zones: int = 1
    aurora_instances: int = 1
    aurora_min_capacity: float = 0.0
    aurora_max_capacity: float = 2.0
    egress: Egress = Egress.DNS_FIREWALL
    shield: Shield = Shield.STANDARD
    canary_minutes: int = 60


@dataclass(frozen=True, kw_only=True)
class Domain:
    """A name that this stage serves, and its public hosted zone in the stage's account (id as Route 53 gave it).

    ``origin_secrets`` number the secrets by which CloudFront proves itself to the load balancer, newest last: it sends the
    newest and all are accepted. To replace it, append the next number, deploy, drop the first, deploy.
    """

    name: str
    hosted_zone_id: str
    origin_secrets: tuple[int, ...] = (1,)


@dataclass(frozen=True, kw_only=True)
class Issuer:
    """The OpenID Connect issuer of the product's users. ``url`` is the exact ``iss`` claim; ``audience`` the ``aud``."""

    url: str
    audience: str


@dataclass(frozen=True, kw_only=True)
class SamlProvider:
    """A customer's own sign-in: whoever it lets in is a user of ``tenant``, and of no other.

    ``metadata_url`` is where the provider publishes its SAML metadata.
    """

    name: str
    tenant: str
    metadata_url: str


@dataclass(frozen=True, kw_only=True)
class UserDirectory:
    """Other ways than a password into the stage's own user pool.

    ``google_client_id`` is the OAuth client's; its secret stands in Secrets Manager (docs/howto/users.md).
    """

    saml: tuple[SamlProvider, ...] = ()
    google_client_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Throttle:
    """API rate limit: steady requests a second and burst size."""

    rate_per_second: int = 10
    burst: int = 20


class LogFormat(enum.Enum):
    """What a log service understands: JSON lines with a signature, Datadog's intake, or Splunk's HTTP Event Collector."""

    GENERIC = "generic"
    DATADOG = "datadog"
    SPLUNK = "splunk"


@dataclass(frozen=True, kw_only=True)
class LogService:
    """An analysis service outside AWS that gets the stage's audit logs after the archive has them.

    ``url`` takes POST over TLS. What proves the sender to it stands in Secrets Manager (docs/howto/audit-stream.md).
    """

    url: str
    format: LogFormat = LogFormat.GENERIC

    @property
    def host(self) -> str:
        """The name that the stage must be able to reach."""
        return urlsplit(self.url).hostname or ""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One isolated environment in an account of its own.

    ``vendors`` are the outside host names that workloads may call (``api.example.com``, ``*.example.com``).
    Without an ``issuer`` the stage has a user pool of its own, which ``directory`` opens to other sign-ins.
    ``network`` is the VPC's address block, a /16 to /20. With read-only ``standing``, all else takes an approved grant and
    an allowed address. Raise ``vault_key_generation`` to give the credential vault another key.
    """

    name: str
    account: AccountId
    network: IPv4Network
    domain: Domain
    issuer: Issuer | None = None
    directory: UserDirectory = field(default_factory=UserDirectory)
    lock_mode: LockMode = LockMode.COMPLIANCE
    standing: Standing = Standing.READ_ONLY
    shape: Shape = field(default_factory=Shape)
    throttle: Throttle = field(default_factory=Throttle)
    vendors: tuple[str, ...] = ()
    log_service: LogService | None = None
    vault_key_generation: int = 1


@dataclass(frozen=True, kw_only=True)
class Retention:
    """How long each class of log and data is kept, in days.

    ``*_log_days`` apply to live log groups and must be a CloudWatch value; ``*_archive_days`` to locked objects.
    ``copied_backup_days`` is for the copies in other accounts and regions, each of which holds a whole database;
    ``documents_days`` is when nothing is left of a document, its backups (``document_backup_days``) included.
    """

    server_log_days: int = 7
    audit_log_days: int = 365
    network_log_days: int = 90
    audit_archive_days: int = 365
    network_archive_days: int = 90
    access_archive_days: int = 90
    glacier_after_days: int = 30
    documents_days: int = 90
    document_backup_days: int = 7
    database_backup_days: int = 35
    copied_backup_days: int = 14
    monthly_backup_days: int = 365

    @property
    def document_live_days(self) -> int:
        """How long a document can be read, so that its last version and its last backup are gone by ``documents_days``."""
        return self.documents_days - self.document_backup_days - DELETION_LAG_DAYS


@dataclass(frozen=True, kw_only=True)
class AccessRequests:
    """For how long people may be let into a stage, how long a request waits for its approval, and how far ahead a customer's
    consent may be recorded.

    Members of ``on_call_group`` (its id in Identity Center) let themselves in, and the team hears of it at once.
    """

    shortest_minutes: int = 15
    longest_hours: int = 12
    waiting_hours: int = 24
    consent_days: int = 90
    on_call_group: str | None = None


@dataclass(frozen=True, kw_only=True)
class Reviews:
    """Who signs access reviews, by their user names in Identity Center, and what counts as unused, old and late, in days.

    ``admin`` sign the monthly review of administrators' rights, ``access`` the quarterly one of all rights: two of them each
    time, and nobody about themselves. Reminders follow the first message by ``remind_days``.
    """

    admin: tuple[str, ...] = ()
    access: tuple[str, ...] = ()
    unused_days: int = 60
    key_days: int = 90
    due_days: int = 14
    remind_days: tuple[int, ...] = (3, 7, 11)


@dataclass(frozen=True, kw_only=True)
class Drills:
    """How often the break-glass path of each stage is drilled, in days, and how many minutes later another person must have
    heard of it."""

    every_days: int = 182
    heard_minutes: int = 15


@dataclass(frozen=True, kw_only=True)
class ChatPerson:
    """Somebody of the chat: ``id`` there (``U024BE7LH``), and the ``name`` of the user in Identity Center."""

    id: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Chat:
    """The chat by which people may ask for access: Slack, or one that signs and answers as it does.

    It calls ``https://<host>/chat/commands``; ``host`` is the name of the public hosted zone ``hosted_zone_id`` of the
    security account. Only ``workspace`` is served (``T...``), and only ``people``. Answers go to ``answer_hosts``.
    Requests for the levels of ``approvals`` may be approved by chat, all others only under a session of one's own.
    """

    host: str
    hosted_zone_id: str
    workspace: str
    people: tuple[ChatPerson, ...]
    answer_hosts: tuple[str, ...] = ("hooks.slack.com",)
    approvals: tuple[Job, ...] = (Job.OPERATOR, Job.KEY_ADMINISTRATOR)


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """One whole deployment: an organization (or none), accounts by role, and stages."""

    name: str
    prefix: str
    """Begins every name that is global in AWS; three to eleven lower-case letters and digits."""
    residency: str
    home: Region
    recovery: Region
    organization: Organization | None
    accounts: Accounts
    contacts: Contacts
    on_call: OnCall
    stages: tuple[Stage, ...]
    allowed_networks: tuple[IPv4Network, ...] = ()
    """Public addresses of offices and VPNs: the only ones from which people enter a stage whose standing is read-only."""
    emergency_identities: tuple[str, ...] = ()
    """ARNs of the IAM users with hardware MFA, made by hand outside the stages, who alone may break the glass."""
    access_requests: AccessRequests = field(default_factory=AccessRequests)
    reviews: Reviews = field(default_factory=Reviews)
    drills: Drills = field(default_factory=Drills)
    chat: Chat | None = None
    """Where people ask for access besides the command line; without one, nothing faces the internet but the stages."""
    retention: Retention = field(default_factory=Retention)
    evidence_lock_mode: LockMode = LockMode.COMPLIANCE
    """Lock of the evidence that is not one stage's, such as the organization trail."""

    def stage(self, name: str) -> Stage:
        """The stage of that name; KeyError if there is none."""
        return {stage.name: stage for stage in self.stages}[name]

    @property
    def owners(self) -> dict[str, AccountId]:
        """Every account by its owner (``log-archive``, ``live``), roles first, then stages; owners begin stacks' names."""
        return {owner: account for owner, _, account in _accounts(self)}

    @property
    def members(self) -> dict[str, AccountId]:
        """Every account but the management account, by its owner: those that guardrails bind."""
        return {owner: account for owner, account in self.owners.items() if account != self.accounts.management}

    @property
    def account_ids(self) -> tuple[AccountId, ...]:
        """Every account of the deployment, roles first, then stages."""
        return tuple(self.owners.values())

    @property
    def regions(self) -> tuple[str, ...]:
        """The regions in which anything is allowed: home, recovery, and where global services live."""
        return tuple(dict.fromkeys((self.home.name, self.recovery.name, EDGE_REGION)))


@dataclass(frozen=True, kw_only=True)
class Waiver:
    """The only way to weaken a control: which, where (a construct path or its beginning), why, who answers, until when."""

    control: str
    where: str
    reason: str
    owner: str
    expires: date


# ------------------------------------------------------------------------------------------------------------- checks

_ACCOUNT = re.compile(r"\d{12}")
_NAME = re.compile(r"[a-z][a-z0-9]{1,11}")
_PREFIX = re.compile(r"[a-z][a-z0-9]{2,10}")
_ORGANIZATION = re.compile(r"o-[a-z0-9]{10,32}")
_ROOT = re.compile(r"r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}")
_ACCOUNT_NAME = re.compile(r"[a-z][a-z0-9-]{0,48}[a-z0-9]")
_ZONE_ID = re.compile(r"Z[A-Z0-9]{6,32}")
_GROUP = re.compile(r"([0-9a-f]{10}-)?[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_PHONE = re.compile(r"\+[0-9][0-9 ()-]{5,22}")
_HOST = re.compile(r"(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
_INSIDE = frozenset(
    {"arpa", "corp", "home", "internal", "intranet", "invalid", "lan", "local", "localdomain", "localhost", "test"}
)
"""Top-level domains that no public name ends in."""
_PROVIDER = re.compile(r"[A-Za-z][A-Za-z0-9]{2,31}")
_USER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@+=,-]{0,127}")
_TENANT = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_RESERVED = frozenset(
    {
        "account",
        "management",
        "security",
        "backup",
        "deployment",
        "organization",
        "analysis",
        "infrastructure",
        "suspended",
        "root",
    }
)


def check(deployment: Deployment) -> Deployment:
    """Return ``deployment`` if it can work.

    Raises:
        ConfigError: with every problem found, each naming the place in ``config/``, the rule, the value and the fix.
    """
    problems = tuple(_problems(deployment))
    if problems:
        raise ConfigError(problems)
    return deployment


def check_waivers(waivers: Any) -> tuple[Waiver, ...]:
    """Return ``waivers`` if each is one; whether it is justified, the gate says.

    Raises:
        ConfigError: with every value of the wrong type.
    """
    problems = tuple(_type(waivers, tuple[Waiver, ...], "WAIVERS"))
    if problems:
        raise ConfigError([f"config/waivers.py: {problem}" for problem in problems])
    return typing.cast("tuple[Waiver, ...]", waivers)


def _accounts(deployment: Deployment) -> Iterator[tuple[str, str, AccountId]]:
    """Owner, place in ``config/`` and id of every account."""
    for role in ("management", "log_archive", "security", "backup", "deployment"):
        account: AccountId | None = getattr(deployment.accounts, role)
        if account is not None:
            yield role.replace("_", "-"), f"accounts.{role}", account
    for stage in deployment.stages:
        yield stage.name, f"stage {stage.name}: account", stage.account


def _problems(deployment: Deployment) -> Iterator[str]:
    place = f"config/{deployment.name}.py"
    mistyped = list(_types(deployment, ""))
    for problem in mistyped:
        yield f"{place}: {problem}"
    if mistyped:
        # What depends on a value of the wrong type cannot be judged: text in place of a tuple would be judged by letters.
        return
    for check_one in (
        _identity,
        _account_ids,
        _regions,
        _contacts,
        _on_call,
        _stages,
        _addresses,
        _allowed_networks,
        _emergency_identities,
        _access_requests,
        _chat,
        _drills,
        _standings,
        _reviews,
        _retention,
    ):
        for problem in check_one(deployment):
            yield f"{place}: {problem}"


def _types(value: Any, where: str) -> Iterator[str]:
    """Values whose type is not the field's: an account id without quotes, a list for a tuple."""
    hints = typing.get_type_hints(type(value))
    for item in dataclasses.fields(value):
        yield from _type(getattr(value, item.name), hints[item.name], f"{where}.{item.name}".lstrip("."))


def _type(value: Any, hint: Any, where: str) -> Iterator[str]:
    hint = getattr(hint, "__supertype__", hint)
    alternatives = typing.get_args(hint)
    if typing.get_origin(hint) is tuple:
        if not isinstance(value, tuple):
            yield f"{where} is {value!r}; it must be a tuple. Write it with round brackets and a comma: (item,)."
            return
        for index, item in enumerate(value):
            yield from _type(item, alternatives[0], f"{where}[{index}]")
    elif type(None) in alternatives:
        if value is not None:
            yield from _type(value, next(one for one in alternatives if one is not type(None)), where)
    else:
        expected = (int, float) if hint is float else hint
        if not isinstance(value, expected) or (isinstance(value, bool) and hint is not bool):
            yield f"{where} is {value!r}; it must be of type {hint.__name__}. {_SPELLING.get(hint, 'Correct it.')}"
        elif dataclasses.is_dataclass(value):
            yield from _types(value, where)


_SPELLING = {
    str: "Put it in quotes.",
    IPv4Network: 'Write IPv4Network("10.0.0.0/16").',
    date: "Write date(2027, 3, 31).",
}


def _identity(deployment: Deployment) -> Iterator[str]:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,30}", deployment.name):
        yield f"name {deployment.name!r} must be a lower-case Python module name. Rename it."
    if not _PREFIX.fullmatch(deployment.prefix):
        yield (
            f"prefix {deployment.prefix!r} must be 3 to 11 lower-case letters and digits, a letter first, because it "
            "begins bucket names. Shorten or respell it."
        )
    organization = deployment.organization
    if (organization is None) != (deployment.accounts.management is None):
        yield (
            "organization and accounts.management go together, but only one of them is given. "
            "Give both, or neither for a deployment without an organization."
        )
    if organization is not None:
        if not _ORGANIZATION.fullmatch(organization.id):
            yield (
                f"organization.id {organization.id!r} must look like o-a1b2c3d4e5. "
                '"aws organizations describe-organization --query Organization.Id" prints it.'
            )
        if not _ROOT.fullmatch(organization.root_id):
            yield (
                f"organization.root_id {organization.root_id!r} must look like r-ab12, or like ou-ab12-11111111 for a unit. "
                '"aws organizations list-roots --query Roots[0].Id" prints the root.'
            )
        yield from _new_accounts(organization.new_accounts)
        yield from _identity_center(organization.identity_center)


MOST_STAGES: Mapping[Standing, int] = {Standing.READ_ONLY: 5, Standing.ENGINEER: 10}
"""Of each standing: what a permission set says of so many stages still fits into a role.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""


def _standings(deployment: Deployment) -> Iterator[str]:
    for standing, most in MOST_STAGES.items() if deployment.organization is not None else ():
        named = [stage.name for stage in deployment.stages if stage.standing is standing]
        if len(named) > most:
            yield (
                f"stages {', '.join(named)} are {len(named)} of {standing.value} standing; the permission sets for them hold "
                f"{most} at most. Put some of them into a deployment of their own, with another prefix."
            )


def _new_accounts(accounts: tuple[NewAccount, ...]) -> Iterator[str]:
    for index, account in enumerate(accounts):
        where = f"organization.new_accounts[{index}]"
        if not _ACCOUNT_NAME.fullmatch(account.name):
            yield (
                f"{where}.name {account.name!r} must be 2 to 50 lower-case letters, digits and hyphens, a letter first. "
                "Respell it."
            )
        if not _EMAIL.fullmatch(account.email) or len(account.email) > 64:
            yield f"{where}.email {account.email!r} must be an e-mail address of at most 64 characters. Fill it in."
        for other in accounts[:index]:
            for name in ("name", "email"):
                if getattr(other, name) == getattr(account, name):
                    yield f"{where}.{name} {getattr(account, name)} is given twice; AWS makes no two accounts so. Change one."


def _identity_center(center: IdentityCenter) -> Iterator[str]:
    where, hint = "organization.identity_center", '"aws sso-admin list-instances" in its region prints it.'
    if not any(center.region in regions for regions in RESIDENCY_AREAS.values()):
        yield f"{where}.region {center.region!r} is not a region this library knows. Correct it."
    if not re.fullmatch(r"arn:aws:sso:::instance/(sso)?ins-[0-9a-zA-Z-.]{16}", center.instance_arn):
        example = "arn:aws:sso:::instance/ssoins-0123456789abcdef"
        yield f"{where}.instance_arn {center.instance_arn!r} must look like {example}. {hint}"
    if not re.fullmatch(r"d-[0-9a-f]{10}|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", center.store_id):
        yield f"{where}.store_id {center.store_id!r} must look like d-0123456789. {hint}"

    jobs = [group.job for group in center.groups]
    for group in center.groups:
        if not _GROUP.fullmatch(group.id):
            yield (
                f"{where}.groups: id {group.id!r} of {group.job.value} is no group's. "
                f'"aws identitystore list-groups --identity-store-id {center.store_id}" prints them.'
            )
        if jobs.count(group.job) > 1:
            yield f"{where}.groups: {group.job.value} has {jobs.count(group.job)} groups; give the one that stands for it."


def _emergency_identities(deployment: Deployment) -> Iterator[str]:
    where, named = "emergency_identities", deployment.emergency_identities
    if deployment.organization is not None and len(set(named)) < 2:
        yield (
            f"{where} names {len(set(named))} users; name at least two, so that one lost security key locks nobody out. "
            "docs/howto/break-glass.md says how to make them."
        )
    stages = {stage.name for stage in deployment.stages}
    roles = {str(account): owner for owner, account in deployment.owners.items() if owner not in stages}
    for arn in named:
        found = re.fullmatch(r"arn:aws:iam::(\d{12}):user/[\w+=,.@/-]{1,128}", arn)
        if found is None:
            example = "arn:aws:iam::111111111111:user/emergency-1"
            yield (
                f"{where} names {arn!r}; only a user's session proves its MFA to the role it assumes. Write it like {example}."
            )
        elif found[1] not in roles:
            yield (
                f"{where} names {arn}, which is in none of the accounts {', '.join(sorted(roles.values()))}; a user of a "
                "stage, or of somebody else, is no way in. Make the user in one of those."
            )


LONGEST_WAIT_HOURS = 48
"""Requests are looked for three days back: that must hold the longest wait and the longest grant together."""


def _access_requests(deployment: Deployment) -> Iterator[str]:
    where, chosen = "access_requests", deployment.access_requests
    for name, least, most in (
        ("shortest_minutes", 5, 60),
        ("longest_hours", 1, 12),
        ("waiting_hours", 1, LONGEST_WAIT_HOURS),
        ("consent_days", 1, 366),
    ):
        value = getattr(chosen, name)
        if not least <= value <= most:
            yield f"{where}.{name} {value} must be {least} to {most}. Change it."
    if chosen.on_call_group is not None and not _GROUP.fullmatch(chosen.on_call_group):
        yield (
            f'{where}.on_call_group {chosen.on_call_group!r} is no group\'s id. "aws identitystore list-groups" prints them.'
        )


def _drills(deployment: Deployment) -> Iterator[str]:
    for name, least, most in (("every_days", 7, 366), ("heard_minutes", 5, 60)):
        value = getattr(deployment.drills, name)
        if not least <= value <= most:
            yield f"drills.{name} {value} must be {least} to {most}. Change it."


MOST_CHAT_PEOPLE = 50
"""What a function's environment holds of them."""


def _chat(deployment: Deployment) -> Iterator[str]:
    chat = deployment.chat
    if chat is None:
        return
    if deployment.organization is None:
        yield "chat: without an organization nobody is let into anything by request. Drop it."
    if not _HOST.fullmatch(chat.host):
        yield f"chat.host {chat.host!r} must be a lower-case DNS name. Write it like chat.example.com."
    if not _ZONE_ID.fullmatch(chat.hosted_zone_id):
        yield (
            f"chat.hosted_zone_id {chat.hosted_zone_id!r} must look like Z0123456789ABC. "
            f'"aws route53 list-hosted-zones-by-name --dns-name {chat.host}" in the security account prints it.'
        )
    if not re.fullmatch(r"[TE][A-Z0-9]{2,20}", chat.workspace):
        yield f"chat.workspace {chat.workspace!r} must look like T024BE7LD. The chat's address bar shows it."
    for host in chat.answer_hosts:
        if not _HOST.fullmatch(host):
            yield f"chat.answer_hosts names {host!r}, which is no host name. Write it like hooks.slack.com."
    if not chat.answer_hosts:
        yield 'chat.answer_hosts is empty, so nobody would be answered. Write ("hooks.slack.com",).'
    for job in chat.approvals:
        if job not in ON_REQUEST:
            levels = ", ".join(level.value for level in ON_REQUEST)
            yield f"chat.approvals names {job.value}, which nobody asks for. Choose of {levels}."
    yield from _chat_people(chat.people)


def _chat_people(people: tuple[ChatPerson, ...]) -> Iterator[str]:
    """Each has one name, and each name one person: two would let somebody approve what they asked for themselves."""
    if not 1 <= len(people) <= MOST_CHAT_PEOPLE:
        yield f"chat.people names {len(people)}; name 1 to {MOST_CHAT_PEOPLE}, those who ask for access or approve it."
    for index, person in enumerate(people):
        if not re.fullmatch(r"[UW][A-Z0-9]{2,20}", person.id):
            yield f"chat.people[{index}].id {person.id!r} must look like U024BE7LH. The chat shows it in the person's profile."
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.@+-]{0,99}", person.name):
            yield f"chat.people[{index}].name {person.name!r} must be the user's name in Identity Center. Correct it."
        for other in people[:index]:
            if other.id == person.id or other.name.casefold() == person.name.casefold():
                yield (
                    f"chat.people[{index}] {person.id} {person.name} is there twice ({other.id} {other.name}); nobody may "
                    "speak under two names. Drop one."
                )


def _allowed_networks(deployment: Deployment) -> Iterator[str]:
    guarded = [stage.name for stage in deployment.stages if stage.standing is Standing.READ_ONLY]
    if deployment.organization is not None and guarded and not deployment.allowed_networks:
        yield (
            f"allowed_networks is empty, so nobody could enter stage {', '.join(guarded)}. Give the public addresses of "
            'your offices and VPNs, such as IPv4Network("203.0.113.0/28").'
        )
    for network in deployment.allowed_networks:
        if network.prefixlen < 16 or (network.is_private and not _is_example(network)):
            yield (
                f"allowed_networks names {network}; it must be public addresses, a /16 or smaller: AWS sees the address "
                "from which a request leaves your network. Give that."
            )


def _is_example(network: IPv4Network) -> bool:
    """Addresses set aside for documentation, which Python counts as private."""
    examples = ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")
    return any(network.subnet_of(IPv4Network(example)) for example in examples)


def _account_ids(deployment: Deployment) -> Iterator[str]:
    seen: dict[str, str] = {}
    for _, where, account in _accounts(deployment):
        if not _ACCOUNT.fullmatch(account):
            yield f'{where} {account!r} must be 12 digits in quotes. "aws organizations list-accounts" prints them.'
        elif account in seen:
            yield (
                f"{where} {account} is also {seen[account]}. Every role and every stage needs an account of its own; "
                "create one and put its id here."
            )
        seen.setdefault(account, where)


def _regions(deployment: Deployment) -> Iterator[str]:
    area = RESIDENCY_AREAS.get(deployment.residency)
    if area is None:
        yield f"residency {deployment.residency!r} is not one of {', '.join(RESIDENCY_AREAS)}. Pick one of them."
    for where, region in (("home", deployment.home), ("recovery", deployment.recovery)):
        if not any(region.name in regions for regions in RESIDENCY_AREAS.values()):
            yield (
                f"{where} region {region.name!r} is not a region this library knows. Correct it, or add it to "
                "RESIDENCY_AREAS in stacks/settings.py after checking that every service is offered there."
            )
        elif area is not None and region.name not in area:
            yield (
                f"{where} region {region.name} is outside the residency area {deployment.residency} "
                f"({', '.join(sorted(area))}). Pick one of those."
            )
        if len(region.zones) != 3 or len(set(region.zones)) != 3:
            yield (
                f"{where} region {region.name} names {len(set(region.zones))} different availability zones "
                f"({', '.join(region.zones) or 'none'}); exactly 3 are needed. "
                f'"aws ec2 describe-availability-zones --region {region.name}" lists them.'
            )
        for zone in region.zones:
            if not re.fullmatch(re.escape(region.name) + r"[a-z]", zone):
                yield f"{where} zone {zone!r} is not in {region.name}. Write it like {region.name}a."
    if deployment.organization is not None and deployment.home.name in WITHOUT_CENTRAL_DETECTION:
        yield (
            f"home region {deployment.home.name} cannot gather an organization's findings: AWS offers Security Hub's "
            "central configuration elsewhere only. Make it the recovery region, or pick another home."
        )
    if deployment.home.name == deployment.recovery.name:
        yield (
            f"home and recovery are both {deployment.home.name}; a copy in the same region does not survive its loss. "
            "Pick another region of the residency area."
        )


def _contacts(deployment: Deployment) -> Iterator[str]:
    for role in ("security", "operations", "billing"):
        address = getattr(deployment.contacts, role)
        if not _EMAIL.fullmatch(address):
            yield f"contacts.{role} {address!r} must be an e-mail address that more than one person reads. Fill it in."
    if not _PHONE.fullmatch(deployment.contacts.phone):
        yield f"contacts.phone {deployment.contacts.phone!r} must be a number with its country. Write it like +353 1 555 0100."


LONGEST_ROTATION = 3000
"""Characters of the rotation as functions get it: an environment holds 4 KB.
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""


def _on_call(deployment: Deployment) -> Iterator[str]:
    on_call = deployment.on_call
    if not _is_zone(on_call.zone):
        yield f"on_call.zone {on_call.zone!r} is not a time zone. Write it like Europe/Dublin."
    if not on_call.people:
        yield "on_call.people is empty, so nobody would be called. Add a Person(...)."
    everyone = [*on_call.people, *on_call.management]
    names = [person.name for person in everyone]
    for person in everyone:
        if not re.fullmatch(r"[a-z0-9][a-z0-9._@+-]{1,63}", person.name):
            yield (
                f"on_call names {person.name!r}; a name must be the user name in Identity Center in lower case: 2 to 64 "
                "letters, digits and ._@+-. Respell it."
            )
        if not _EMAIL.fullmatch(person.email):
            yield f"on_call: email {person.email!r} of {person.name} must be an e-mail address. Fill it in."
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"on_call names {name} {names.count(name)} times. Name everybody once."
    for cover in on_call.covers:
        where = f"on_call.covers: {cover.person} from {cover.begins}"
        if cover.person not in names:
            yield f"{where} is none of {', '.join(names)}. Name one of them."
        if cover.begins.tzinfo or cover.ends.tzinfo:
            yield f"{where} names a zone; covers are times of the wall clock in {on_call.zone}. Leave it out."
        elif cover.begins >= cover.ends:
            yield f"{where} ends at {cover.ends}, before it begins. Correct it."
    size = len(on_call.written)
    if size > LONGEST_ROTATION:
        yield f"on_call takes {size} characters; {LONGEST_ROTATION} fit. Remove covers and holidays that have gone by."


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def _stages(deployment: Deployment) -> Iterator[str]:
    if not deployment.stages:
        yield "stages is empty; at least one stage is needed. Add a Stage(...)."
    names = [stage.name for stage in deployment.stages]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"stage {name} is defined {names.count(name)} times; names must differ. Rename all but one."
    for stage in deployment.stages:
        where = f"stage {stage.name}"
        taken = [word for word in ("amazon", "aws", "cognito") if word in f"{deployment.prefix}-{stage.name}"]
        if stage.issuer is None and taken:
            yield (
                f"{where}: its sign-in host would begin with {deployment.prefix}-{stage.name}, which AWS refuses for the "
                f"word {taken[0]}. Rename prefix or stage, or name an issuer."
            )
        if not _NAME.fullmatch(stage.name) or stage.name in _RESERVED:
            yield (
                f"stage name {stage.name!r} must be 2 to 12 lower-case letters and digits, a letter first, and none of "
                f"{', '.join(sorted(_RESERVED))}. Rename it."
            )
        if not _HOST.fullmatch(stage.domain.name):
            yield f"{where}: domain.name {stage.domain.name!r} must be a lower-case DNS name. Write it like app.example.com."
        if not _ZONE_ID.fullmatch(stage.domain.hosted_zone_id):
            yield (
                f"{where}: domain.hosted_zone_id {stage.domain.hosted_zone_id!r} must look like Z0123456789ABC. "
                f'"aws route53 list-hosted-zones-by-name --dns-name {stage.domain.name}" prints it.'
            )
        secrets = stage.domain.origin_secrets
        if not 1 <= len(secrets) <= 2 or list(secrets) != sorted(set(secrets)) or any(number < 1 for number in secrets):
            yield (
                f"{where}: domain.origin_secrets {secrets!r} must be one number, or two while one replaces the other, "
                "rising and from 1. Write it like (1,) or (1, 2)."
            )
        yield from _sign_in(where, stage)
        yield from _shape(where, stage)
        for vendor in stage.vendors:
            if not _HOST.fullmatch(vendor.removeprefix("*.")):
                yield (
                    f"{where}: vendor {vendor!r} must be a host name such as api.example.com or *.example.com "
                    "(no scheme, path, port or address). Respell it."
                )
        yield from _log_service(where, stage.log_service)
        if stage.vault_key_generation < 1:
            yield (
                f"{where}: vault_key_generation is {stage.vault_key_generation}. It begins at 1; add one for another key."
            )
        if not 1 <= stage.throttle.rate_per_second <= stage.throttle.burst <= 5000:
            yield (
                f"{where}: throttle of {stage.throttle.rate_per_second} a second with bursts of {stage.throttle.burst} "
                "must satisfy 1 <= rate <= burst <= 5000, the account's quota. Change one of them."
            )


def _log_service(where: str, service: LogService | None) -> Iterator[str]:
    if service is None:
        return
    place, _, path = service.url.removeprefix("https://").partition("/")
    host = place.removesuffix(":443")
    if not service.url.startswith("https://") or not _HOST.fullmatch(host) or host.rpartition(".")[2] in _INSIDE:
        yield (
            f"{where}: log_service.url {service.url!r} must be https:// and a public host name on port 443, without address "
            "or credentials: the network lets nothing else out. Write it like https://logs.example.com/audit."
        )
    elif not re.fullmatch(r"[A-Za-z0-9._~/-]*", path):
        yield (
            f"{where}: log_service.url {service.url!r} must end with its path: what stands behind it would be in every "
            f"template and log. Put a token into the secret that docs/howto/audit-stream.md names."
        )


def _sign_in(where: str, stage: Stage) -> Iterator[str]:
    issuer, directory = stage.issuer, stage.directory
    if issuer is not None:
        if not _is_https(issuer.url):
            yield f"{where}: issuer.url {issuer.url!r} must be an https:// URL. Copy it from the iss claim of a token."
        if not issuer.audience:
            yield f"{where}: issuer.audience is empty, so any token of the issuer would pass. Give the aud claim."
        if directory != UserDirectory():
            yield (
                f"{where}: directory opens the stage's own user pool, but issuer {issuer.url} takes its place. "
                "Drop one of them."
            )
    names = [provider.name for provider in directory.saml]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"{where}: directory.saml names {name} {names.count(name)} times; names must differ. Rename all but one."
    for provider in directory.saml:
        place = f"{where}: directory.saml {provider.name!r}"
        if not _PROVIDER.fullmatch(provider.name) or provider.name in {"COGNITO", "Google"}:
            yield f"{place} must be 3 to 32 letters and digits, and neither COGNITO nor Google. Rename it."
        if not _TENANT.fullmatch(provider.tenant):
            yield f"{place}: tenant {provider.tenant!r} must be 1 to 63 lower-case letters, digits and dashes. Correct it."
        if not _is_https(provider.metadata_url):
            yield f"{place}: metadata_url {provider.metadata_url!r} must be an https:// URL. Ask whoever runs the provider."
    client = directory.google_client_id
    if client is not None and not client.endswith(".apps.googleusercontent.com"):
        yield (
            f"{where}: directory.google_client_id {client!r} must end in .apps.googleusercontent.com. "
            "The Google Cloud console shows it beside the OAuth client."
        )


def _is_https(url: str) -> bool:
    return url.startswith("https://") and _HOST.fullmatch(url.removeprefix("https://").split("/")[0]) is not None


def _shape(where: str, stage: Stage) -> Iterator[str]:
    shape = stage.shape
    for name in ("nat_gateways", "endpoint_zones"):
        if getattr(shape, name) not in {1, 3}:
            yield f"{where}: shape.{name} is {getattr(shape, name)}; it must be 1 or 3, one per zone. Pick one."
    if shape.aurora_instances not in {1, 2, 3}:
        yield f"{where}: shape.aurora_instances is {shape.aurora_instances}; it must be 1, 2 or 3, one per zone. Pick one."
    if not 1 <= shape.canary_minutes <= 60:
        yield f"{where}: shape.canary_minutes is {shape.canary_minutes}; the canary runs every 1 to 60 minutes. Change it."
    low, high = shape.aurora_min_capacity, shape.aurora_max_capacity
    if not (0 <= low <= high and 1 <= high <= 256) or (low * 2) % 1 or (high * 2) % 1:
        yield (
            f"{where}: Aurora capacity {low} to {high} must be in steps of 0.5 with 0 <= minimum <= maximum and "
            "1 <= maximum <= 256. Change them."
        )


def _addresses(deployment: Deployment) -> Iterator[str]:
    for index, stage in enumerate(deployment.stages):
        network = stage.network
        if not network.is_private or not 16 <= network.prefixlen <= 20:
            yield (
                f"stage {stage.name}: network {network} must be a private block between /16 and /20, so that three "
                "tiers in three zones fit. Pick another block."
            )
        for other in deployment.stages[:index]:
            if network.overlaps(other.network):
                yield (
                    f"stage {stage.name}: network {network} overlaps stage {other.name} ({other.network}). "
                    f"Pick a free block such as {_free_block(deployment, network.prefixlen)}."
                )


def _free_block(deployment: Deployment, prefix_length: int) -> IPv4Network:
    taken = [stage.network for stage in deployment.stages]
    for candidate in IPv4Network("10.0.0.0/8").subnets(new_prefix=max(prefix_length, 16)):
        if not any(candidate.overlaps(network) for network in taken):
            return candidate
    return IPv4Network("172.16.0.0/16")


def _reviews(deployment: Deployment) -> Iterator[str]:
    reviews = deployment.reviews
    for title in ("admin", "access"):
        people: tuple[str, ...] = getattr(reviews, title)
        for person in people:
            if not _USER_NAME.fullmatch(person):
                yield f"reviews.{title} {person!r} is no user name of Identity Center. Write it as the directory has it."
        if deployment.organization is not None and len({person.casefold() for person in people}) < LEAST_REVIEWERS:
            yield (
                f"reviews.{title} has {len(people)} different names, but {LEAST_REVIEWERS} people sign a review, because nobody "
                "decides about themselves. Name the people who are to sign."
            )
    for title, longest in (("unused_days", 90), ("key_days", 365), ("due_days", 28)):
        days: int = getattr(reviews, title)
        if not 1 <= days <= longest:
            yield f"reviews.{title} {days} must be 1 to {longest}. Correct it."
    if any(not 1 <= day < reviews.due_days for day in reviews.remind_days) or not reviews.remind_days:
        yield f"reviews.remind_days {reviews.remind_days} must lie between the first day and due_days. Correct them."


def _retention(deployment: Deployment) -> Iterator[str]:
    retention = deployment.retention
    for name in ("server_log_days", "audit_log_days", "network_log_days"):
        days = getattr(retention, name)
        if days not in CLOUDWATCH_RETENTION_DAYS:
            nearest = min(CLOUDWATCH_RETENTION_DAYS, key=lambda offered: abs(offered - days))
            yield f"retention.{name} is {days}; CloudWatch Logs does not offer it. The nearest it offers is {nearest}."
        elif days < SHORTEST_LOG_DAYS:
            yield f"retention.{name} is {days}; incidents are found days later. Use {SHORTEST_LOG_DAYS} or more."
    for name, least in (
        ("audit_archive_days", SHORTEST_ARCHIVE_DAYS),
        ("network_archive_days", SHORTEST_ARCHIVE_DAYS),
        ("access_archive_days", SHORTEST_ARCHIVE_DAYS),
        ("documents_days", 1),
    ):
        days = getattr(retention, name)
        if not least <= days <= 36500:
            yield f"retention.{name} is {days}; it must be between {least} and 36500. Change it."
    if not retention.glacier_after_days >= 1:
        yield f"retention.glacier_after_days is {retention.glacier_after_days}; it must be at least 1. Change it."
    for name in ("document_backup_days", "database_backup_days"):
        days = getattr(retention, name)
        if not SHORTEST_BACKUP_DAYS <= days <= 35:
            yield (
                f"retention.{name} is {days}; point-in-time recovery reaches back at most 35 days, and damage is often "
                f"found only after a week. Use {SHORTEST_BACKUP_DAYS} to 35."
            )
    if retention.document_live_days < 1:
        yield (
            f"retention.documents_days is {retention.documents_days}; less {retention.document_backup_days} days of "
            f"backups and {DELETION_LAG_DAYS} for deletion to run, no day is left to read a document. Raise it, or lower "
            "document_backup_days."
        )
    if not retention.copied_backup_days >= SHORTEST_BACKUP_DAYS:
        yield (
            f"retention.copied_backup_days is {retention.copied_backup_days}; it must be at least {SHORTEST_BACKUP_DAYS}. "
            "Change it."
        )
    longest = max(retention.copied_backup_days, retention.document_backup_days, SHORTEST_MONTHLY_DAYS)
    if not longest <= retention.monthly_backup_days <= 36500:
        yield (
            f"retention.monthly_backup_days is {retention.monthly_backup_days}; monthly copies are kept at least as long "
            f"as all others and a quarter ({longest} days) and at most 36500. Change it."
        )


def named(deployment: Any, name: str) -> Deployment:
    """Return ``deployment`` if ``config/<name>.py`` really holds one.

    Raises:
        ConfigError: the module's ``DEPLOYMENT`` is missing, of another type, or named unlike its file.
    """
    if not isinstance(deployment, Deployment):
        raise ConfigError([f"config/{name}.py: DEPLOYMENT must be a Deployment, got {type(deployment).__name__}."])
    if deployment.name != name:
        raise ConfigError(
            [f"config/{name}.py: name is {deployment.name!r} but the file is {name}.py. Make them agree."]
        )
    return deployment
