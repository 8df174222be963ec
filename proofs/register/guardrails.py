"""Promises that the organization keeps, whatever anybody's own policies say.

Each is asked of somebody with every right of his account, on resources that let everybody in: only the guardrails can refuse.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import ip_network
from typing import Final

from proofs.finding import Case, Finding, Note, note, proof
from proofs.model import Model, Node
from proofs.policy import UNKNOWN
from proofs.policy.context import ContextValue
from proofs.register.asked import administrator, ask, cloudformation, guardrails, held_by, pipeline, signed_in, user
from proofs.register.questions import facts

Deeds = Mapping[str, str]
"""Resource by action; ``{account}`` and ``{region}`` are filled in."""

OF_ANOTHER_STAGE: Final[Deeds] = {
    "dynamodb:GetItem": "arn:aws:dynamodb:{region}:{account}:table/x",
    "kms:Decrypt": "arn:aws:kms:{region}:{account}:key/x",
    "lambda:InvokeFunction": "arn:aws:lambda:{region}:{account}:function:x",
    "s3:GetObject": "arn:aws:s3:::x/y",
    "secretsmanager:GetSecretValue": "arn:aws:secretsmanager:{region}:{account}:secret:x",
    "sqs:ReceiveMessage": "arn:aws:sqs:{region}:{account}:x",
    "sts:AssumeRole": "arn:aws:iam::{account}:role/x",
}
COPIES: Final = (
    "backup:CreateBackupVault",
    "dynamodb:CreateTable",
    "dynamodb:CreateTableReplica",
    "ec2:CopySnapshot",
    "rds:CopyDBClusterSnapshot",
    "rds:CreateDBCluster",
    "s3:CreateBucket",
)
"""What makes a store or a copy, in the region that the request names."""
WORK: Final = ("ec2:RunInstances", "lambda:CreateFunction", "sqs:CreateQueue")
WORLD_WIDE: Final = (
    "iam:ListRoles",
    "cloudfront:ListDistributions",
    "route53:ListHostedZones",
    "support:DescribeCases",
)
"""Services with one endpoint, whose requests name its region."""
REGIONS: Final = ("ap-northeast-1", "ap-southeast-2", "eu-north-1", "eu-west-2", "sa-east-1", "us-east-1", "us-west-2")
"""Regions to try; those of the deployment are left out."""
_DAY: Final = 86400
"""Seconds of the session that "./palisade credentials mfa" asks for."""
ENROLMENT: Final = ("iam:CreateVirtualMFADevice", "iam:EnableMFADevice")
SWITCHES: Final = (
    "cloudtrail:DeleteTrail",
    "cloudtrail:PutEventSelectors",
    "cloudtrail:StopLogging",
    "cloudtrail:UpdateTrail",
    "config:DeleteDeliveryChannel",
    "config:PutConfigurationRecorder",
    "config:StopConfigurationRecorder",
    "ec2:DeleteFlowLogs",
    "firehose:DeleteDeliveryStream",
    "guardduty:DeleteDetector",
    "guardduty:UpdateDetector",
    "organizations:LeaveOrganization",
    "route53resolver:DisassociateResolverQueryLogConfig",
    "securityhub:DisableSecurityHub",
    "wafv2:DeleteLoggingConfiguration",
)
"""What would make records end, or hide somebody from them."""
OBJECTS: Final = ("s3:BypassGovernanceRetention", "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutObjectRetention")
BUCKETS: Final = ("s3:DeleteBucketPolicy", "s3:PutBucketPolicy", "s3:PutLifecycleConfiguration")
GROUPS: Final = ("logs:DeleteLogGroup", "logs:PutRetentionPolicy", "logs:Unmask")
CHANGES: Final = ("cloudformation:CreateChangeSet", "cloudformation:DeleteStack", "cloudformation:ExecuteChangeSet",
                  "cloudformation:UpdateStack")  # fmt: skip
ROLE_WRITES: Final = ("iam:AttachRolePolicy", "iam:CreateRole", "iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy")


class _Court:
    """Asks on behalf of one proof and writes down what came of it."""

    def __init__(self, case: Case, finding: Finding) -> None:
        self.model: Model = case.model
        self.finding = finding
        self.home = next((vault.region for vault in case.model.of("AWS::Backup::BackupPlan")), None) or next(
            (stack.region for stack in case.assembly.stacks), "us-east-1"
        )
        organization = self.model.organization
        if not organization:
            finding.missing.append(Note("organization", "the assembly makes no organization"))
        for node, problem in organization.unread.items():
            finding.broken.append(note(node, f"AWS would refuse it: {problem}"))
        for account in organization.members:
            if organization.units_of(account) is None:
                finding.missing.append(Note(account, "which unit it is in is not known", "account"))

    def refused(
        self,
        who: str,
        action: str,
        resource: str = "*",
        *,
        owner: str | None = None,
        context: Mapping[str, ContextValue] | None = None,
        openly: bool = True,
    ) -> bool:
        """Demand that nobody gets through; what he could choose is left open."""
        decision = ask(self.model, who, action, resource, owner=owner, context=context, openly=openly)
        if decision.possibly_allowed:
            account = who.split(":")[4]
            perhaps = "" if decision.certainly_allowed else f", depending on {', '.join(decision.depends_on)}"
            where = self._unit(account)
            self.finding.broken.append(
                Note(
                    where.path if where else account,
                    f"{who} may {action} on {resource}{perhaps}, {held_by(self.model, account)}",
                    where.type if where else "account",
                )
            )
        return not decision.possibly_allowed

    def granted(
        self,
        who: str,
        action: str,
        resource: str = "*",
        *,
        owner: str | None = None,
        context: Mapping[str, ContextValue] | None = None,
    ) -> bool:
        """Demand that work goes on."""
        here: dict[str, ContextValue] = {"aws:RequestedRegion": self.home, **(context or {})}
        decision = ask(self.model, who, action, resource, owner=owner, context=here)
        if not decision.certainly_allowed:
            reason = decision.decided_by[0]
            self.finding.broken.append(
                Note(
                    str(reason.source),
                    f"{reason.sid} keeps {who} from {action} on {resource}, which must work",
                    "policy",
                )
            )
        return decision.certainly_allowed

    def _unit(self, account: str) -> Node | None:
        units = self.model.organization.units_of(account)
        return units[-1] if units else None

    def shown(self, account: str, what: str) -> None:
        """Write down what was found good."""
        unit = self._unit(account)
        if unit is not None:
            self.finding.evidence.append(note(unit, f"{account}: {what}"))

    def members(self) -> Iterable[str]:
        """Accounts that guardrails may hold."""
        return self.model.organization.members


def _filled(resource: str, account: str, region: str) -> str:
    return resource.replace("{account}", account).replace("{region}", region)


@proof("guardrails.stages-refuse-each-other")
def stages_refuse_each_other(case: Case, finding: Finding) -> None:
    """Each stage has an organizational unit of its own, and nobody of another stage gets at anything in it, even if its own
    policies would let him.

    https://docs.aws.amazon.com/whitepapers/latest/organizing-your-aws-environment/workloads-ou.html
    """
    court, stages = _Court(case, finding), facts(case).stages
    organization = case.model.organization
    homes = {account: units[-1] for account in court.members() if (units := organization.units_of(account))}
    for account, stage in stages.items():
        for other, unit in homes.items():
            if other != account and homes.get(account) is unit:
                for moved in filter(None, (organization.placements.get(account), organization.placements.get(other))):
                    finding.broken.append(note(moved, f"{unit.path} holds account {other} beside stage {stage}"))
        for other in stages:
            if other != account and all(
                court.refused(administrator(other), action, _filled(on, account, court.home), owner=account)
                for action, on in OF_ANOTHER_STAGE.items()
            ):
                court.shown(account, f"refuses whoever is of stage {stages[other]}")
    if len(stages) < 2:
        finding.missing.append(Note("stages", "the assembly holds one stage only"))


@proof("guardrails.nothing-is-shared")
def nothing_is_shared(case: Case, finding: Finding) -> None:
    """No snapshot, image, bucket or resource of a stage is shared with another account or the public by anybody.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ebs-modifying-snapshot-permissions.html
    """
    court = _Court(case, finding)
    for account in facts(case).stages:
        who = administrator(account)
        asked: list[tuple[str, Mapping[str, ContextValue]]] = [
            ("ec2:ModifySnapshotAttribute", {"ec2:Add/userId": "999999999999"}),
            ("ec2:ModifySnapshotAttribute", {"ec2:Add/group": "all"}),
            ("ec2:ModifyImageAttribute", {}),
            ("rds:ModifyDBClusterSnapshotAttribute", {}),
            ("rds:ModifyDBSnapshotAttribute", {}),
            ("s3:PutAccountPublicAccessBlock", {}),
            ("s3:PutObjectAcl", {"s3:x-amz-acl": "public-read"}),
            ("ram:CreateResourceShare", {}),
        ]
        kept = [court.refused(who, action, context=context) for action, context in asked]
        if all(kept):
            court.shown(account, "shares nothing")


@proof("guardrails.other-regions-are-closed")
def other_regions_are_closed(case: Case, finding: Finding) -> None:
    """In every member account work in any region but the deployment's is refused; in those, and with global services, it goes on.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_examples_general.html
    """
    court = _Court(case, finding)
    ours = {stack.region for stack in case.assembly.stacks}
    for account in court.members():
        who = administrator(account)
        closed = [
            court.refused(who, action, context={"aws:RequestedRegion": region})
            for region in REGIONS
            if region not in ours
            for action in WORK
        ]
        # What stores data may be confined to fewer regions; a function holds none.
        at_work = [court.granted(who, WORK[1], context={"aws:RequestedRegion": region}) for region in sorted(ours)]
        world_wide = [court.granted(who, action, context={"aws:RequestedRegion": "us-east-1"}) for action in WORLD_WIDE]
        if all(closed + at_work + world_wide):
            court.shown(account, f"works in {', '.join(sorted(ours))} alone")


@proof("guardrails.copies-elsewhere-are-refused")
def copies_elsewhere_are_refused(case: Case, finding: Finding) -> None:
    """In every member account a store, copy, replica or backup outside the residency area is refused.

    https://docs.aws.amazon.com/prescriptive-guidance/latest/strategy-aws-semicon-workloads/meeting-data-residency-requirements.html
    """
    court = _Court(case, finding)
    area = case.terms.residency
    if not area:
        finding.missing.append(Note("terms", "no configuration names the residency area"))
    for account in court.members():
        who = administrator(account)
        outside = [region for region in REGIONS if area and region not in area]
        kept = [
            court.refused(who, action, context={"aws:RequestedRegion": region})
            for region in outside
            for action in COPIES
        ]
        kept += [
            court.refused(who, "backup:CopyIntoBackupVault", f"arn:aws:backup:{region}:{account}:backup-vault:x")
            for region in outside
        ]
        kept.append(court.granted(who, "dynamodb:CreateTable", context={"aws:RequestedRegion": court.home}))
        if all(kept) and outside:
            court.shown(account, f"keeps copies in {', '.join(sorted(area))}")


@proof("guardrails.nobody-without-second-factor")
def nobody_without_second_factor(case: Case, finding: Finding) -> None:
    """A user without multi-factor sign-in does nothing in any member account but enrol a device; nobody makes more users.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa.html
    """
    court = _Court(case, finding)
    finding.assumptions.append("IAM Identity Center is set to ask for a second factor at every sign-in")
    key = "aws:MultiFactorAuthPresent"
    for account in court.members():
        who, here = user(account), {"aws:SourceIp": _inside(case)}
        kept = [
            court.refused(who, action, context={key: value})
            for action in ("ec2:DescribeInstances", "s3:ListAllMyBuckets", "sts:AssumeRole")
            for value in (None, "false")
        ]
        kept += [court.granted(who, action, context={key: None, **here}) for action in ENROLMENT]
        kept.append(court.granted(who, "ec2:DescribeInstances", context={key: "true", **here}))
        kept += [
            court.refused(administrator(account), action, f"arn:aws:iam::{account}:user/x")
            for action in ("iam:CreateUser", "iam:CreateAccessKey", "iam:CreateLoginProfile")
        ]
        if all(kept):
            court.shown(account, "asks every user for a second factor")


@proof("guardrails.a-code-lasts-a-day")
def a_code_lasts_a_day(case: Case, finding: Finding) -> None:
    """A user's session by MFA code works for 24 hours, and the same user's access key alone does not work at all.

    tests/ops/credentials shows the command that makes such a session, and what it says of a wrong code, a missing device, an
    expired session and a wrong clock.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-multifactorauthage
    """
    court = _Court(case, finding)
    for account in court.members():
        who, here = user(account), {"aws:SourceIp": _inside(case)}
        kept = [
            court.granted(
                who,
                "ec2:DescribeInstances",
                context={"aws:MultiFactorAuthPresent": "true", "aws:MultiFactorAuthAge": str(seconds), **here},
            )
            for seconds in (0, _DAY - 1)
        ]
        kept.append(court.refused(who, "ec2:DescribeInstances", context={"aws:MultiFactorAuthPresent": None, **here}))
        if all(kept):
            court.shown(account, "takes a session by MFA code for a day, and no key without one")


@proof("guardrails.people-come-from-allowed-addresses")
def people_come_from_allowed_addresses(case: Case, finding: Finding) -> None:
    """People enter live from the allow-listed addresses and from nowhere else; services, the pipeline and CloudFormation go on.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_examples_aws_deny-ip.html
    """
    court = _Court(case, finding)
    networks = [ip_network(text) for text in case.terms.allowed_networks]
    if not networks or not case.terms.guarded:
        finding.missing.append(Note("terms", "no configuration names stages to look at and addresses to come from"))
    for account in sorted(case.terms.guarded if networks else ()):
        person = signed_in(account, court.home)
        inside = [str(address) for network in networks for address in (network[0], network[-1])]
        outside = [str(network[0] - 1) for network in networks] + [str(network[-1] + 1) for network in networks]
        outside = [each for each in (*outside, "203.0.113.99", "2001:db8::1") if each not in inside]
        kept: list[bool] = []
        for action in ("ec2:DescribeInstances", "s3:GetObject"):
            on = "arn:aws:s3:::x/y" if action.startswith("s3:") else "*"
            for address in inside:
                kept.append(court.granted(person, action, on, context={"aws:SourceIp": address}))
            for who in (person, user(account)):
                for address in outside:
                    here = {"aws:SourceIp": address, "aws:ViaAWSService": "false", "aws:VpceAccount": None}
                    kept.append(court.refused(who, action, on, context={"aws:MultiFactorAuthPresent": "true", **here}))
            through: dict[str, ContextValue] = {"aws:CalledVia": ["athena.amazonaws.com"], "aws:ViaAWSService": "true"}
            kept.append(court.granted(person, action, on, context={**through, "aws:SourceIp": "athena.amazonaws.com"}))
            kept.append(
                court.granted(cloudformation(account, court.home), action, on, context={"aws:SourceIp": UNKNOWN})
            )
        kept.append(court.granted(pipeline(account, court.home), CHANGES[0], context={"aws:SourceIp": UNKNOWN}))
        if all(kept):
            court.shown(account, f"lets people in from {', '.join(case.terms.allowed_networks)} alone")


def _inside(case: Case) -> str | None:
    networks = case.terms.allowed_networks
    return str(ip_network(networks[0])[0]) if networks else None


@proof("guardrails.only-the-pipeline-changes-live")
def only_the_pipeline_changes_live(case: Case, finding: Finding) -> None:
    """No person and no administrator changes a stack of live; the pipeline's role and CloudFormation do.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/security-best-practices.html
    """
    court = _Court(case, finding)
    if not case.terms.guarded:
        finding.missing.append(Note("terms", "no configuration names stages to look at"))
    for stack in case.assembly.stacks:
        if stack.account not in case.terms.guarded:
            continue
        arn = f"arn:aws:cloudformation:{stack.region}:{stack.account}:stack/{stack.name}/1"
        people = (administrator(stack.account), signed_in(stack.account, court.home), user(stack.account))
        kept = [court.refused(who, action, arn) for who in people for action in CHANGES]
        kept += [court.granted(pipeline(stack.account, stack.region), action, arn) for action in CHANGES]
        role = f"arn:aws:iam::{stack.account}:role/cdk-hnb659fds-deploy-role-{stack.account}-{stack.region}"
        kept.append(court.refused(signed_in(stack.account, court.home), "sts:AssumeRole", role))
        if all(kept):
            court.shown(stack.account, f"changes {stack.name} by the pipeline alone")


@proof("guardrails.evidence-cannot-be-switched-off")
def evidence_cannot_be_switched_off(case: Case, finding: Finding) -> None:
    """No administrator of any member account stops a record or a detector, deletes evidence or backups, or destroys a key.

    https://docs.aws.amazon.com/wellarchitected/latest/security-pillar/sec_detect_investigate_events_app_service_logging.html
    """
    court, known = _Court(case, finding), facts(case)
    archives = known.evidence_buckets()
    stages = known.stages
    for account in court.members():
        who = administrator(account)
        kept = [court.refused(who, action) for action in SWITCHES]
        for bucket in case.model.of("AWS::S3::Bucket", account=account):
            if bucket in archives and account not in stages:
                kept += [court.refused(who, action, f"{bucket.arn}/x") for action in OBJECTS]
                kept += [court.refused(who, action, bucket.arn) for action in BUCKETS]
        for group in case.model.of("AWS::Logs::LogGroup", account=account):
            kept += [court.refused(who, action, group.arn.removesuffix(":*")) for action in GROUPS]
        for vault in case.model.of("AWS::Backup::BackupVault", account=account):
            kept.append(court.refused(who, "backup:DeleteRecoveryPoint", f"{vault.arn}/x"))
            kept.append(court.refused(who, "backup:PutBackupVaultAccessPolicy", vault.arn))
        for key in case.model.of("AWS::KMS::Key", account=account):
            tags: dict[str, ContextValue] = {f"aws:ResourceTag/{name}": value for name, value in key.tags.items()}
            for action in ("kms:ScheduleKeyDeletion", "kms:PutKeyPolicy"):
                kept.append(court.refused(who, action, key.arn.replace("<", "").replace(">", ""), context=tags))
        linked = f"arn:aws:iam::{account}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
        kept.append(court.granted(linked, "config:PutConfigurationRecorder"))
        kept.append(court.granted(cloudformation(account, court.home), "config:PutConfigurationRecorder"))
        if all(kept):
            court.shown(account, "its administrators cannot make records end")


@proof("guardrails.unencrypted-volumes-are-refused")
def unencrypted_volumes_are_refused(case: Case, finding: Finding) -> None:
    """In every member account an unencrypted volume, database or file system is refused, and an encrypted one is not.

    https://docs.aws.amazon.com/ebs/latest/userguide/encryption-by-default.html
    """
    court = _Court(case, finding)
    for account in court.members():
        who, volume = administrator(account), f"arn:aws:ec2:{court.home}:{account}:volume/*"
        asked = [
            ("ec2:CreateVolume", volume, "ec2:Encrypted"),
            ("ec2:RunInstances", volume, "ec2:Encrypted"),
            ("rds:CreateDBCluster", "*", "rds:StorageEncrypted"),
            ("elasticfilesystem:CreateFileSystem", "*", "elasticfilesystem:Encrypted"),
        ]
        home = {"aws:RequestedRegion": court.home}
        kept = [court.refused(who, action, on, context={**home, key: "false"}) for action, on, key in asked]
        kept += [court.granted(who, action, on, context={**home, key: "true"}) for action, on, key in asked]
        kept.append(court.refused(who, "ec2:DisableEbsEncryptionByDefault", context=home))
        if all(kept):
            court.shown(account, "refuses volumes that are not encrypted")


@proof("guardrails.exempt-roles-are-out-of-reach")
def exempt_roles_are_out_of_reach(case: Case, finding: Finding) -> None:
    """No administrator makes, changes or takes over a role that a guardrail exempts by name, or marks one as exempt by tag.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_examples_iam.html
    """
    court = _Court(case, finding)
    organization = case.model.organization
    names = sorted({name for node in guardrails(case.model) for name in _exempt(node)})
    tags = sorted({key.partition("/")[2] for key in organization.keys if key.startswith("aws:principaltag/")})
    for account in court.members():
        who = administrator(account)
        kept: list[bool] = []
        for name in names:
            arn = name.replace("*", account, 1).replace("*", "x")
            bounded: dict[str, ContextValue] = {"aws:TagKeys": None, "aws:ResourceTag/x": None}
            kept += [court.refused(who, action, arn, context=bounded) for action in ROLE_WRITES]
        for tag in tags:
            mine = f"arn:aws:iam::{account}:role/mine"
            kept += [court.refused(who, action, mine, context={"aws:TagKeys": [tag]})
                     for action in ("iam:CreateRole", "iam:TagRole", "sts:TagSession")]  # fmt: skip
        if kept and all(kept):
            court.shown(account, f"{len(names)} exempt names and {len(tags)} exempting tags are out of reach")


def _exempt(node: Node) -> Iterable[str]:
    """Roles that a policy's statements spare by ``ArnNotLike aws:PrincipalArn``."""
    content = node.get("Content")
    for statement in content.get("Statement", []) if isinstance(content, Mapping) else ():
        tests = statement.get("Condition", {})
        for operator in ("ArnNotLike", "ArnNotEquals", "StringNotLike"):
            named = tests.get(operator, {}).get("aws:PrincipalArn", [])
            yield from (str(each) for each in ([named] if isinstance(named, str) else named) if ":role/" in str(each))
