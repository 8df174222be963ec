"""Every name that more than one account, region or tool must agree on. Nothing else composes such a name."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from stacks.settings import EDGE_REGION, AccountId, Deployment, Job, Stage


class Log(enum.Enum):
    """The classes of evidence, each with a bucket of its own in the log archive account."""

    TRAIL = "trail"
    CONFIG = "config"
    FLOW = "flow"
    RESOLVER = "resolver"
    BALANCER = "balancer"
    CDN = "cdn"
    WAF = "waf"
    ACCESS = "access"
    SESSION = "session"
    AUDIT = "audit"
    FIREWALL = "firewall"
    DECISION = "decision"


class Unit(enum.StrEnum):
    """Organizational units beside those of the stages, each with the accounts of its purpose."""

    SECURITY = "security"
    INFRASTRUCTURE = "infrastructure"
    SUSPENDED = "suspended"


_UNITS = {
    "log-archive": Unit.SECURITY,
    "security": Unit.SECURITY,
    "backup": Unit.SECURITY,
    "deployment": Unit.INFRASTRUCTURE,
}
"""Backups are evidence too: their account is guarded as the archive is."""

ORGANIZATION = "organization"
"""Owner of the evidence that is not one stage's: the organization trail, AWS Config, what workflows of no single
stage decided, and requests to the archive itself."""

ACCOUNT_SETTINGS = "account-settings"
"""Role that sets what belongs to a whole account: the only one that the boundary lets do so."""

WRITTEN_INTO_THE_ARCHIVE = frozenset({Log.TRAIL, Log.SESSION, Log.DECISION})
"""Logs whose writers are known to write into a bucket with a default lock (docs/decisions/log-archive.md); the others land
in an unlocked bucket and are replicated at once."""

SESSION_WRITER = "bastion"
"""Role (see :meth:`Names.role`) whose instances write session logs; in each stage's account."""

AUDIT_WRITER = "audit-delivery"
"""Role with which Amazon Data Firehose writes application audit logs; in each stage's account."""

FINDINGS_SENDER = "findings-sender"
"""Role with which EventBridge sends findings to the security account; in every account."""

SIGN_IN_WRITER = "sign-in-delivery"
"""Role with which Amazon Data Firehose writes what users do at sign-in; in each stage's account."""

AUDIT_SHIPPER = "audit-shipper"
"""Role whose function reads a stage's audit logs out of the archive and sends them to the log service of its choice."""

ACCESS_LOG_REPLICATOR = "access-log-replication"
"""Role with which S3 copies a stage's own server access logs into the archive; in each stage's account."""


CHAT = "chat"
"""Begins the names of what people did by chat, where a session's id stands for what they did themselves."""


class Workflow(enum.StrEnum):
    """Whatever decides something that must be on record; the folder of its records in the archive."""

    CHANGE_LEDGER = "change-ledger"
    ACCESS = "access"
    INCIDENTS = "incidents"
    REVIEWS = "reviews"
    CHAT = "chat"
    DRILLS = "drills"
    CONTAINMENT = "containment"
    VAULT = "vault"
    DEBUG_EXPORT = "debug-export"
    OFFBOARDING = "offboarding"


ORGANIZATION_WORKFLOWS = {
    "security": (Workflow.ACCESS, Workflow.INCIDENTS, Workflow.REVIEWS, Workflow.CHAT, Workflow.DRILLS),
    "deployment": (Workflow.CHANGE_LEDGER,),
}
"""The workflows of no single stage, by the account they run in."""
READ_BESIDE = {Workflow.REVIEWS: (Workflow.ACCESS,)}
"""Workflows that read the records of others in the same account: a review tells which rights a grant explains."""
STAGE_WORKFLOWS = (Workflow.CONTAINMENT, Workflow.VAULT, Workflow.DEBUG_EXPORT, Workflow.OFFBOARDING)
"""Those that run in every stage's own account."""


class VaultRoleName(enum.Enum):
    """Roles of a stage's credential vault, which its key in the security account names."""

    WRITER = "vault-writer"
    REENCRYPTER = "vault-reencrypter"
    READER = "reader"


@dataclass(frozen=True)
class Names:
    """Names of one deployment. ``owner`` is always a stage's name, or :data:`ORGANIZATION`."""

    deployment: Deployment

    @property
    def prefix(self) -> str:
        """Begins every global name."""
        return self.deployment.prefix

    @property
    def home(self) -> str:
        """The home region's name."""
        return self.deployment.home.name

    @property
    def boundary(self) -> str:
        """Managed policy that bounds every role, made by the bootstrap of each account."""
        return f"{self.prefix}-boundary"

    @property
    def units(self) -> tuple[str, ...]:
        """Every organizational unit: three by purpose, one for each stage."""
        return (*Unit, *(stage.name for stage in self.deployment.stages))

    def unit(self, owner: str) -> str:
        """The organizational unit of an account: a stage has one of its own."""
        return _UNITS.get(owner, owner)

    def guardrails(self, target: str) -> str:
        """Begins the names of the organization policies on a unit, or on the root: ``palisade-live``."""
        return f"{self.prefix}-{target}"

    def stack(self, owner: str, subject: str) -> str:
        """``live-network``; ``owner`` may also be an account role such as ``log-archive``."""
        return f"{owner}-{subject}"

    def delivery_bucket(self, owner: str, log: Log) -> str:
        """Where a service delivers ``log`` of ``owner``: the only one of these buckets to give to a service."""
        return self.archive_bucket(owner, log) if log in WRITTEN_INTO_THE_ARCHIVE else self.landing_bucket(owner, log)

    def archive_bucket(self, owner: str, log: Log) -> str:
        """The immutable bucket that keeps ``log`` of ``owner``, in the log archive account and home region."""
        return f"{self.prefix}-{owner}-{log.value}-{self.deployment.accounts.log_archive}"

    def landing_bucket(self, owner: str, log: Log) -> str:
        """The unlocked bucket where services deliver ``log`` that is replicated at once into the archive.

        In the log archive account and home region; S3 server access logs land in the account they come from, because S3
        delivers them nowhere else. WAF accepts only buckets whose names begin with ``aws-waf-logs-``.
        https://docs.aws.amazon.com/waf/latest/developerguide/logging-s3.html
        """
        account = self.deployment.accounts.log_archive
        if log is Log.WAF:
            return f"aws-waf-logs-{self.prefix}-{owner}-{account}"
        if log is Log.ACCESS and owner != ORGANIZATION:
            account = self.deployment.stage(owner).account
        return f"{self.prefix}-{owner}-{log.value}-in-{account}"

    def cdn_log_destination(self, owner: str) -> str:
        """The delivery destination that CloudFront logs of ``owner`` go through, in the archive account and us-east-1."""
        return f"{self.prefix}-{owner}-cdn"

    def cdn_log_destination_arn(self, owner: str) -> str:
        """That delivery destination's ARN."""
        account = self.deployment.accounts.log_archive
        return f"arn:aws:logs:{EDGE_REGION}:{account}:delivery-destination:{self.cdn_log_destination(owner)}"

    def archive_key_alias(self, owner: str) -> str:
        """Alias of the key that encrypts the evidence of ``owner`` in the log archive account."""
        return f"alias/{self.prefix}/archive-{owner}"

    def archive_key_arn(self, owner: str) -> str:
        """The alias as an ARN, which services of other accounts accept as a key id."""
        return f"arn:aws:kms:{self.home}:{self.deployment.accounts.log_archive}:{self.archive_key_alias(owner)}"

    def bucket(self, purpose: str, account: AccountId, region: str) -> str:
        """A bucket outside the archive: ``palisade-documents-666666666666-eu-west-1`` (purpose at most 22 characters)."""
        return f"{self.prefix}-{purpose}-{account}-{region}"

    def key_alias(self, data_class: str) -> str:
        """Alias of a stage's key for one class of data."""
        return f"alias/{self.prefix}/{data_class}"

    def vault_role(self, role: VaultRoleName) -> str:
        """A role of the vault. Readers record what they read, so theirs is a recorder's name."""
        if role is VaultRoleName.READER:
            return self.recorder(Workflow.VAULT, role.value)
        return self.role(role.value)

    def vault_key_aliases(self, stage: Stage) -> tuple[str, ...]:
        """Aliases, in the security account, of the vault's key in use and of the one before, if there was one."""
        alias = f"alias/{self.prefix}/vault-{stage.name}"
        return (alias,) if stage.vault_key_generation == 1 else (alias, f"{alias}-former")

    def vault_key_arns(self, stage: Stage) -> tuple[str, ...]:
        """Those aliases as ARNs."""
        account = self.deployment.accounts.security
        return tuple(f"arn:aws:kms:{self.home}:{account}:{alias}" for alias in self.vault_key_aliases(stage))

    @property
    def vault_table(self) -> str:
        """The table of a stage's credentials, sealed."""
        return f"{self.prefix}-vault"

    def vault_function(self, task: str) -> str:
        """A function of the vault that people call: ``keep``, ``check`` or ``reencrypt``."""
        return f"{self.prefix}-vault-{task}"

    @property
    def vault_keeper(self) -> str:
        """Managed policy of each stage for people who keep credentials; permission sets attach it by name."""
        return f"{self.prefix}-vault-keeper"

    @property
    def vault_operator(self) -> str:
        """Managed policy of each stage for people who may have every credential sealed anew."""
        return f"{self.prefix}-vault-operator"

    def volume_key_arn(self, account: AccountId, region: str) -> str:
        """The key, by its alias, of volumes for which nobody names one."""
        return f"arn:aws:kms:{region}:{account}:{self.key_alias('volumes')}"

    def trail(self, owner: str) -> str:
        """The CloudTrail trail of the organization, or of a stage where there is no organization."""
        return f"{self.prefix}-{owner}"

    def trail_arn(self, owner: str, account: AccountId) -> str:
        """That trail's ARN; trails are made in the home region and record every region."""
        return f"arn:aws:cloudtrail:{self.home}:{account}:trail/{self.trail(owner)}"

    def backup_vault(self, owner: str) -> str:
        """The vault of a stage; the same name in the stage account, the backup account and the recovery region."""
        return f"{self.prefix}-{owner}"

    def backup_vault_arn(self, owner: str, account: AccountId, region: str) -> str:
        """That vault's ARN in one account and region."""
        return f"arn:aws:backup:{region}:{account}:backup-vault:{self.backup_vault(owner)}"

    def database(self, stage: Stage) -> str:
        """The stage's database cluster; RDS names its log groups after it."""
        return f"{self.prefix}-{stage.name}"

    def backup_role(self, stage: Stage) -> str:
        """The role under which AWS Backup reads a stage's stores; keys of the backup account name it."""
        return self.role(f"backup-{stage.name}")

    def role(self, component: str) -> str:
        """A role that another account or a policy names before it exists, e.g. ``palisade-bastion``."""
        return f"{self.prefix}-{component}"

    @property
    def recorders(self) -> str:
        """Begins the names of roles that may write decisions into the archive, in every account that decides anything."""
        return self.role("recorder-")

    def recorder(self, workflow: Workflow, component: str = "") -> str:
        """A role of one workflow that writes its records, and reads them back if the archive admits it."""
        return f"{self.recorders}{workflow}{component and f'-{component}'}"

    def governor(self, task: str) -> str:
        """A role whose work is to govern accounts: the boundary leaves it more than others (ops/bootstrap/boundary.py)."""
        return self.role(f"governor-{task}")

    def member_arn(self, account: str) -> str:
        """An account as Organizations names it (``*`` for all); without an organization there is none, and no such ARN."""
        organization, management = self.deployment.organization, self.deployment.accounts.management
        if organization is None:
            raise ValueError("there is no organization, so no account is a member of it")
        return f"arn:aws:organizations::{management}:account/{organization.id}/{account}"

    @property
    def change_ledger(self) -> str:
        """The function of the deployment account that records changes."""
        return f"{self.prefix}-change-ledger"

    @property
    def reviews(self) -> str:
        """The function that reviewers ask, and the state machine of access reviews; both in the security account."""
        return f"{self.prefix}-reviews"

    @property
    def reviewer(self) -> str:
        """The role by which access reviews read an account; in every account."""
        return self.role("reviewer")

    @property
    def review_collector(self) -> str:
        """The role of the security account that alone may assume it."""
        return self.recorder(Workflow.REVIEWS, "collector")

    @property
    def review_signer(self) -> str:
        """Managed policy of the security account for people who sign access reviews; permission sets attach it by name."""
        return f"{self.prefix}-review-signer"

    @property
    def change_approver(self) -> str:
        """Managed policy of the deployment account for people who may approve changes; permission sets attach it by name."""
        return f"{self.prefix}-change-approver"

    @property
    def access_requests(self) -> str:
        """The function of the security account that decides about access requests (lambda/decide_access says how to ask)."""
        return f"{self.prefix}-access-requests"

    @property
    def access_grants(self) -> str:
        """The state machine of the security account that carries them out."""
        return f"{self.prefix}-access-grants"

    def access_policy(self, job: Job) -> str:
        """Managed policy of the security account by which people of this job do their deeds of access requests."""
        return f"{self.prefix}-access-{job.value}"

    def gate(self, level: str) -> str:
        """Managed policy of a stage's account that refuses everything to a level's sessions that no grant explains."""
        return f"{self.prefix}-gate-{level}"

    @property
    def gatekeeper(self) -> str:
        """The role of a stage's account that rewrites the gates: the boundary lets it (ops/bootstrap/boundary.py)."""
        return self.role("gatekeeper")

    @property
    def drills(self) -> str:
        """The function of the security account that judges break-glass drills."""
        return f"{self.prefix}-drills"

    @property
    def driller(self) -> str:
        """Managed policy of the security account by which people drill and witness; permission sets attach it by name."""
        return f"{self.prefix}-driller"

    @property
    def chat_speaker(self) -> str:
        """The role of the security account that does the chat's deeds, each marked so."""
        return self.recorder(Workflow.ACCESS, "chat")

    @property
    def chat_web_acl(self) -> str:
        """The web ACL before the door for the chat; its log folder bears this name."""
        return f"{self.prefix}-chat"

    @property
    def chat_secret(self) -> str:
        """The secret of the security account that the chat signs with; people put it there."""
        return f"{self.prefix}/security/chat-signing"

    @property
    def access_enforcer(self) -> str:
        """The role of the security account that assigns levels: the boundary lets it."""
        return self.recorder(Workflow.ACCESS, "enforcer")

    @property
    def debug_export(self) -> str:
        """Exports pseudonymised data for a while, in each stage's account: the state machine, the function that people call, and
        the policy with which they may, which permission sets attach by name."""
        return f"{self.prefix}-debug-export"

    @property
    def offboarding(self) -> str:
        """Deletes tenants, in each stage's account: the state machine, the function that people call, and the policy with which
        they may, which permission sets attach by name."""
        return f"{self.prefix}-offboarding"

    @property
    def incident_alarms(self) -> str:
        """The topic of the security account for trouble with the handling of incidents itself."""
        return f"{self.prefix}-incident-alarms"

    @property
    def incident_pages(self) -> str:
        """The topic of the security account that mails whoever is called."""
        return f"{self.prefix}-incident-pages"

    @property
    def incident_channels(self) -> str:
        """The secret of the security account with the addresses of webhook and chat, which people fill in."""
        return f"{self.prefix}/incidents/channels"

    @property
    def incident_timer(self) -> str:
        """The state machine of the security account of which each execution is an incident."""
        return f"{self.prefix}-incidents"

    @property
    def incident_desk(self) -> str:
        """The function of the security account that people's commands call."""
        return f"{self.prefix}-incident-desk"

    @property
    def responder(self) -> str:
        """Managed policy for people who handle incidents: in the security account what they may say of one, in each stage how
        they contain it. The permission set attaches it by name, and takes the account's own."""
        return f"{self.prefix}-responder"

    def role_arn(self, component: str, account: AccountId) -> str:
        """That role's ARN."""
        return f"arn:aws:iam::{account}:role/{self.role(component)}"

    @property
    def bastion(self) -> str:
        """The Auto Scaling group that the bastion starts in."""
        return f"{self.prefix}-bastion"

    @property
    def database_tunnel(self) -> str:
        """The session document that forwards a port to the database."""
        return f"{self.prefix}-database"

    def topic(self, stage: Stage, purpose: str) -> str:
        """A topic of a stage: ``palisade-live-alarms``."""
        return f"{self.prefix}-{stage.name}-{purpose}"

    def place(self, region: str) -> str:
        """Ends the subject of a stack that stands in every region: nothing at home, ``-recovery`` or ``-edge`` elsewhere."""
        return "" if region == self.home else "-edge" if region == EDGE_REGION else "-recovery"

    @property
    def findings_bus(self) -> str:
        """The event bus of the security account and home region that every finding reaches."""
        return f"{self.prefix}-findings"

    @property
    def findings_bus_arn(self) -> str:
        """That bus's ARN."""
        return f"arn:aws:events:{self.home}:{self.deployment.accounts.security}:event-bus/{self.findings_bus}"

    @property
    def conformance_pack(self) -> str:
        """The rules of AWS Config that every account is held against in every region."""
        return f"{self.prefix}-controls"

    @property
    def findings_undelivered(self) -> str:
        """The queue of the security account, in each region, of findings that the bus did not take."""
        return f"{self.prefix}-findings-undelivered"

    def findings_undelivered_arn(self, region: str) -> str:
        """That queue's ARN."""
        return f"arn:aws:sqs:{region}:{self.deployment.accounts.security}:{self.findings_undelivered}"

    @property
    def security_topic(self) -> str:
        """The topic of the security account, in each region, that mails the security team."""
        return f"{self.prefix}-security"

    def operations_topic(self, owner: str) -> str:
        """The topic that operations hears of an account by which is no stage's."""
        return f"{self.prefix}-{owner}-alarms"

    def web_acl(self, stage: Stage, *, edge: bool) -> str:
        """A stage's web ACL: CloudFront's (``edge``) or the home region's. Its log folder bears this name."""
        return f"{self.prefix}-{stage.name}-edge" if edge else f"{self.prefix}-{stage.name}"

    def blocked_addresses(self, stage: Stage, *, edge: bool) -> str:
        """Begins the names of the sets of addresses that a stage's web ACL blocks: ``-v4`` and ``-v6`` follow."""
        return f"{self.web_acl(stage, edge=edge)}-blocked"

    @property
    def containment(self) -> str:
        """The function of each stage that contains incidents; outside the names of the stage's other functions."""
        return f"{self.prefix}-{Workflow.CONTAINMENT}"

    @property
    def log_reader(self) -> str:
        """Managed policy of the archive account for people who may read evidence; permission sets attach it by name."""
        return f"{self.prefix}-log-reader"

    def permission_set(self, job: Job) -> str:
        """The permission set of a job, and its group; in each account that it is assigned to, Identity Center makes the
        role ``AWSReservedSSO_<name>_<16 letters and digits>``.
        https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html
        """
        return f"{self.prefix}-{job.value}"

    def permission_set_parameter(self, job: Job) -> str:
        """Where the ARN of the permission set stands: in the management account and Identity Center's region."""
        return self.parameter("permission-set", job.value)

    @property
    def break_glass(self) -> str:
        """The role of each stage for emergencies in which Identity Center does not answer."""
        return self.role("break-glass")

    def log_group(self, *parts: str) -> str:
        """``/palisade/documents/api``."""
        return "/" + "/".join((self.prefix, *parts))

    def parameter(self, *parts: str) -> str:
        """An SSM parameter's name: ``/palisade/network/egress-addresses``."""
        return "/" + "/".join((self.prefix, *parts))

    def api_host(self, stage: Stage) -> str:
        """Where the API answers."""
        return f"api.{stage.domain.name}"

    def origin_host(self, stage: Stage) -> str:
        """Where the load balancer answers; CloudFront's origin."""
        return f"origin.{stage.domain.name}"

    def site_bucket(self, stage: Stage) -> str:
        """Where the files of the stage's site lie, in the home region."""
        return self.bucket("site", stage.account, self.home)

    def origin_secret(self, stage: Stage, number: int) -> str:
        """A secret by which CloudFront proves itself to the load balancer; the same name in home region and us-east-1."""
        return f"{self.prefix}/{stage.name}/origin-verification-{number}"

    @property
    def image_repository(self) -> str:
        """The repository of container images, in the deployment account."""
        return f"{self.prefix}/application"

    def user_pool(self, stage: Stage) -> str:
        """The stage's own directory of the product's users."""
        return f"{self.prefix}-{stage.name}"

    def sign_in_prefix(self, stage: Stage) -> str:
        """Begins the host name of the user pool's sign-in pages; no other account of AWS may have taken it."""
        return f"{self.prefix}-{stage.name}-{stage.account}"

    def sign_in_host(self, stage: Stage) -> str:
        """Where the product's users sign in, and where the site fetches their tokens."""
        if stage.issuer is not None:
            return stage.issuer.url.removeprefix("https://").split("/")[0]
        return f"{self.sign_in_prefix(stage)}.auth.{self.home}.amazoncognito.com"

    def google_secret(self, stage: Stage) -> str:
        """The secret of the stage's OAuth client at Google, which people put there before they deploy."""
        return f"{self.prefix}/{stage.name}/google-client"

    def log_service_secret(self, stage: Stage) -> str:
        """The secret by which the stage's log service knows who sends."""
        return f"{self.prefix}/{stage.name}/log-service"

    @property
    def audit_receipts(self) -> str:
        """The table of what a stage's log service has taken."""
        return f"{self.prefix}-audit-receipts"

    @property
    def sign_in_stream(self) -> str:
        """The stream that carries what users do at sign-in into the archive; in each stage's account."""
        return f"{self.prefix}-sign-ins"
