"""Promises about the way onto machines and to the database."""

from __future__ import annotations

from proofs.finding import Case, Finding, note, proof
from proofs.model import Model, as_list, at, truthy
from proofs.register.questions import Facts, facts, texts

_MACHINES = ("AWS::EC2::LaunchTemplate", "AWS::EC2::Instance")


@proof("access.sessions-are-the-only-way-in")
def sessions_are_the_only_way_in(case: Case, finding: Finding) -> None:
    """Machines have no key pair, no public address and no rule that lets anybody in; every session is recorded.

    https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager.html
    """
    known = facts(case)
    groups = _machines(known.model, finding)
    _closed(known.model, groups, finding)
    _recorded(known, finding)


def _machines(model: Model, finding: Finding) -> dict[str, str]:
    """Judge machines one by one; the security groups that they are in, with whose they are."""
    groups: dict[str, str] = {}
    for machine in model.of(*_MACHINES):
        data = machine.get("LaunchTemplateData", default=machine.properties)
        faults = []
        if at(data, "KeyName"):
            faults.append("it has an SSH key pair")
        for interface in as_list(at(data, "NetworkInterfaces")):
            if at(interface, "AssociatePublicIpAddress", default=True) not in (False, "false"):
                faults.append("it has a public address")
            groups |= dict.fromkeys(texts(at(interface, "Groups")), machine.path)
        groups |= dict.fromkeys(texts(at(data, "SecurityGroupIds")), machine.path)
        if at(data, "MetadataOptions", "HttpTokens") != "required":
            faults.append("its metadata service answers without a token")
        documents = list(model.of("AWS::SSM::Document", account=machine.account, region=machine.region))
        if not any(at(document.get("Content", "inputs"), "s3BucketName") for document in documents):
            faults.append("no session document records what is done on it")
        finding.broken += [note(machine, fault) for fault in faults]
        if not faults:
            finding.evidence.append(note(machine, "no key pair, no public address, sessions recorded"))
    return groups


def _closed(model: Model, groups: dict[str, str], finding: Finding) -> None:
    for group in model.of("AWS::EC2::SecurityGroup"):
        if group.id in groups and as_list(group.get("SecurityGroupIngress")):
            finding.broken.append(note(group, f"lets connections in to {groups[group.id]}"))
    for rule in model.of("AWS::EC2::SecurityGroupIngress"):
        if rule.get("GroupId") in groups:
            finding.broken.append(note(rule, f"lets connections in to {groups[str(rule.get('GroupId'))]}"))


def _recorded(known: Facts, finding: Finding) -> None:
    for document in known.model.of("AWS::SSM::Document"):
        inputs = document.get("Content", "inputs", default={})
        if document.get("Content", "sessionType") != "Standard_Stream":
            continue
        for name in ("s3EncryptionEnabled", "cloudWatchEncryptionEnabled"):
            if not truthy(at(inputs, name)):
                finding.broken.append(note(document, f"{name} is off"))
        if not at(inputs, "kmsKeyId") or not at(inputs, "s3BucketName"):
            finding.broken.append(note(document, "sessions are not encrypted with a key, or not recorded"))
        if at(inputs, "idleSessionTimeout") is None or at(inputs, "maxSessionDuration") is None:
            finding.broken.append(note(document, "sessions have no end"))
    for arrow, refused in known.deliveries("session record to bucket", "session stream to log group"):
        if refused is not None:
            finding.broken.append(note(refused.where, f"{arrow} does not arrive: {refused.text}"))
        elif arrow.receiver is not None and arrow.receiver.type == "AWS::S3::Bucket":
            outside = arrow.receiver.account != arrow.sender.account
            locked = arrow.receiver.get("ObjectLockConfiguration", "Rule", "DefaultRetention", "Mode") is not None
            if outside and locked:
                finding.evidence.append(note(arrow.sender, f"sessions are recorded in {arrow.receiver.path}, locked"))
            else:
                finding.broken.append(note(arrow.receiver, "recordings are not locked in another account"))
