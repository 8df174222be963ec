"""Promises that stages have nothing to do with each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from proofs.finding import Case, Finding, Note, note, proof
from proofs.model import Node
from proofs.register.questions import OWNER, POLICY_PROPERTIES, Facts, facts

ACTIONS: Mapping[str, tuple[str, ...]] = {
    "AWS::IAM::Role": ("sts:AssumeRole",),
    "AWS::KMS::Key": ("kms:Decrypt", "kms:GenerateDataKey", "kms:CreateGrant", "kms:PutKeyPolicy"),
    "AWS::S3::Bucket": ("s3:GetObject", "s3:ListBucket", "s3:PutObject", "s3:DeleteObject", "s3:PutBucketPolicy"),
    "AWS::SNS::Topic": ("sns:Subscribe", "sns:Publish"),
    "AWS::SQS::Queue": ("sqs:ReceiveMessage", "sqs:SendMessage"),
    "AWS::Lambda::Function": ("lambda:InvokeFunction",),
    "AWS::SecretsManager::Secret": ("secretsmanager:GetSecretValue",),
    "AWS::Backup::BackupVault": ("backup:StartRestoreJob", "backup:CopyFromBackupVault", "backup:CopyIntoBackupVault"),
    "AWS::DynamoDB::Table": ("dynamodb:GetItem",),
    "AWS::Events::EventBus": ("events:PutEvents",),
}
"""What may not be done across stages, by type."""
READS: Mapping[str, tuple[str, ...]] = {
    "AWS::KMS::Key": ("kms:Decrypt",),
    "AWS::S3::Bucket": ("s3:GetObject",),
    "AWS::Backup::BackupVault": ("backup:StartRestoreJob",),
}
"""What of a shared account no two stages may both do with the same thing."""
_INSIDE = frozenset({"s3:GetObject", "s3:PutObject", "s3:DeleteObject"})


@proof("separation.no-trust-between-stages")
def no_trust_between_stages(case: Case, finding: Finding) -> None:
    """No principal of one stage can assume a role, use a key or touch a store of another, nor share one in a third account.

    https://docs.aws.amazon.com/whitepapers/latest/organizing-your-aws-environment/design-principles.html
    """
    known = facts(case)
    stages = known.stages
    for node in known.model.of(*ACTIONS):
        guests: list[str] = []
        for account in known.guests(node, stages):
            here = ACTIONS[node.type] if node.account in stages else READS.get(node.type, ())
            found = _allowed(known, node, account, here)
            if found and node.account in stages:
                _, caller, action = found
                where = next(known.model_policy(node), node)
                finding.broken.append(note(where, f"{caller} of stage {stages[account]} may {action} on {node.path}"))
            elif found:
                guests.append(f"{found[1]} of stage {stages[account]}")
                if len(set(stages) - known.named(node) - {node.account}) > 1 and account not in known.named(node):
                    guests.append("whoever is of any other stage")
        if len(guests) > 1:
            where = next(known.model_policy(node), node)
            finding.broken.append(note(where, f"{' and '.join(guests)} both reach {node.path}"))
    for node in known.model.of(*dict.fromkeys((*ACTIONS, *POLICY_PROPERTIES))):
        doubt = known.unsure(node)
        if doubt is not None:
            finding.missing.append(note(node, doubt))
    for account, stage in stages.items():
        if len(stages) > 1:
            finding.evidence.append(Note(stage, f"{account} refuses whatever other stages ask", "account"))


def _allowed(known: Facts, node: Node, account: str, actions: tuple[str, ...]) -> tuple[bool, str, str] | None:
    for caller in known.callers(account, node):
        for action in actions:
            # The organization refuses it again (guardrails nothing-to- and nothing-from-other-stages), but each policy must too.
            if known.may(caller, action, node, f"{node.arn}/1" if action in _INSIDE else node.arn, guarded=False):
                return True, caller, action
    return None


@proof("separation.one-account-a-stage")
def one_account_a_stage(case: Case, finding: Finding) -> None:
    """Each stage has an account of its own, which holds nothing of another stage, and no network is joined to another's.

    https://docs.aws.amazon.com/whitepapers/latest/organizing-your-aws-environment/production-and-non-production-workload-separation.html
    """
    known = facts(case)
    owners: dict[str, set[str]] = defaultdict(set)
    accounts: dict[str, set[str]] = defaultdict(set)
    stages = known.stages
    for stack in case.assembly.stacks:
        owner = stack.tags.get(OWNER)
        if owner and stack.account in stages:
            owners[stack.account].add(owner)
            accounts[owner].add(stack.account)
    for account, names in owners.items():
        if len(names) > 1:
            finding.broken.append(Note(account, f"stages {', '.join(sorted(names))} share this account", "account"))
    for owner, held in accounts.items():
        finding.evidence.append(Note(owner, f"lives in account {', '.join(sorted(held))} alone", "account"))
    for node in _joins(known):
        finding.broken.append(note(node, "joins networks of different accounts"))
    if len(stages) < 2:
        finding.missing.append(
            Note("stages", "the assembly holds one stage only, so that there is nothing to separate")
        )


def _joins(known: Facts) -> Iterator[Node]:
    for peering in known.model.of("AWS::EC2::VPCPeeringConnection"):
        if peering.get("PeerOwnerId", default=peering.account) != peering.account:
            yield peering
    for share in known.model.of("AWS::RAM::ResourceShare"):
        if set(map(str, share.get("Principals", default=[]))) & set(known.stages):
            yield share
