"""Findings of our own invariants that are right where they stand. Each says which finding, where, and why it is no fault.

An exception belongs to the library and never ends; what a deployment wants to weaken for a time is a waiver
(``config/waivers.py``). One that no longer matches a finding fails the gate.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Exemption:
    """One finding that stands: its control, the construct path (``*`` stands for the stage's name), the beginning of its
    message, and the reason."""

    control: str
    where: str
    finding: str
    reason: str


_OUTSIDE = "it runs outside the network"

EXEMPTIONS: tuple[Exemption, ...] = (
    Exemption(
        control="identity.policy.resources",
        where="*-access/Bastion/Role/Policy/Resource",
        finding="statement ReportToSystemsManager allows ssm:putcomplianceitems, ssm:updateinstanceinformation",
        reason="The agent reports about itself before it knows the ARN under which it is registered; AWS's own "
        "AmazonSSMManagedInstanceCore grants the same, and the rights tell Systems Manager facts, nothing more.",
    ),
    Exemption(
        control="identity.policy.decrypt",
        where="*-backup/Backups/Role/Policy/Resource",
        finding="statement UseKeys decrypts with every key of an account",
        reason="The vaults' keys live in the backup account, under ids that AWS invents there and in no template of this "
        "account; their own policies name the stages that may use them.",
    ),
    Exemption(
        control="compute.function.placement",
        where="*-network/ClosedDefaults/Resource/Function/Resource/Resource",
        finding=_OUTSIDE,
        reason="It empties the network's default security group while the network is being made, before any endpoint "
        "answers inside it.",
    ),
    Exemption(
        control="compute.function.placement",
        where="*-network/ManagedLists/Resource/Function/Resource/Resource",
        finding=_OUTSIDE,
        reason="It looks up AWS's prefix lists and domain lists for the network's own rules, so it runs before they exist.",
    ),
    Exemption(
        control="compute.function.placement",
        where="*-backup/RestoreTesting/Validator/Resource/Resource",
        finding=_OUTSIDE,
        reason="It asks AWS Backup, S3 and DynamoDB about restored copies through their public APIs and opens no connection "
        "into the network; the backup stack must work while the network does not.",
    ),
    Exemption(
        control="compute.function.placement",
        where="*-account/Settings/Resource/Function/Resource/Resource",
        finding=_OUTSIDE,
        reason="It sets what belongs to the account and to EC2 in every region, and no network of one region reaches the others.",
    ),
    Exemption(
        control="compute.function.placement",
        where="*-containment/Responder/Resource/Resource",
        finding=_OUTSIDE,
        reason="It takes machines off the network and must work while that network is what is attacked; it speaks to AWS's own "
        "APIs alone.",
    ),
    Exemption(
        control="compute.function.placement",
        where="deployment-change-ledger/Recorder/Resource/Resource",
        finding=_OUTSIDE,
        reason="It writes and reads records in the log archive through S3 alone, from an account that has no network.",
    ),
    Exemption(
        control="compute.function.placement",
        where="security-access/Decider/Resource/Resource",
        finding=_OUTSIDE,
        reason="It writes and reads records in the log archive and asks the directory, from an account that has no network.",
    ),
    Exemption(
        control="compute.function.placement",
        where="security-access/Enforcer/Resource/Resource",
        finding=_OUTSIDE,
        reason="It works on Identity Center and, as their gatekeeper, on the IAM of the stages, to which no network leads.",
    ),
    Exemption(
        control="compute.function.placement",
        where="security-reviews/*/Resource/Resource",
        finding=_OUTSIDE,
        reason="It asks IAM of every account, Step Functions and the archive, from an account that has no network.",
    ),
    Exemption(
        control="compute.function.placement",
        where="security-incidents/Taker/Resource/Resource",
        finding=_OUTSIDE,
        reason="It takes findings from a queue and reaches S3 and Step Functions alone, from an account that has no network.",
    ),
    Exemption(
        control="compute.function.placement",
        where="security-incidents/Lead/Resource/Resource",
        finding=_OUTSIDE,
        reason="It decides from records in the log archive, and tells Systems Manager and CloudWatch what it decided.",
    ),
    Exemption(
        control="compute.function.placement",
        where="security-incidents/Caller/Resource/Resource",
        finding=_OUTSIDE,
        reason="It calls people through addresses on the internet, which is all its work; it reads no record.",
    ),
    Exemption(
        control="compute.function.placement",
        where="security-incidents/Desk/Resource/Resource",
        finding=_OUTSIDE,
        reason="It answers people from the records in the log archive and must work while every network is down.",
    ),
    Exemption(
        control="data.secret.rotation",
        where="security-incidents/Pages/Channels/Resource",
        finding="nothing rotates it",
        reason="It holds addresses that people fill in and a key that the receiver of the webhook must take over in the same "
        "moment; docs/howto/incidents.md says how to replace it.",
    ),
    Exemption(
        control="compute.function.placement",
        where="*-account/Drift/Function/Resource/Resource",
        finding=_OUTSIDE,
        reason="It asks CloudFormation in every region, and no network of one region reaches the others.",
    ),
    Exemption(
        control="compute.function.failures",
        where="security-access/Enforcer/Resource/Resource",
        finding="events from ",
        reason="The next sweep, minutes later, does all that a failed one left; a quarter of an hour without a whole one alarms.",
    ),
    Exemption(
        control="compute.function.failures",
        where="security-reviews/Steps/Resource/Resource",
        finding="events from ",
        reason="A call that failed is nothing to keep: the watch does the same six hours later, and half a day without its "
        "count alarms.",
    ),
    Exemption(
        control="compute.function.failures",
        where="*-account/Drift/Function/Resource/Resource",
        finding="events from ",
        reason="The next run, an hour later, does the same work; three hours without a count raise the alarm.",
    ),
    Exemption(
        control="compute.function.placement",
        where="*-backup/Options/Resource/Function/Resource/Resource",
        finding=_OUTSIDE,
        reason="It opts the account's services in to AWS Backup, a setting of the region with no connection to any network.",
    ),
    Exemption(
        control="compute.function.placement",
        where="management-detection/Delegation/Resource/Function/Resource/Resource",
        finding=_OUTSIDE,
        reason="It speaks to Organizations and to detectors of every region, in an account that has no network.",
    ),
    Exemption(
        control="compute.function.placement",
        where="*/Coverage/Resource/Function/Resource/Resource",
        finding=_OUTSIDE,
        reason="It speaks to detectors of every region through their public APIs and opens no connection into a network.",
    ),
    Exemption(
        control="compute.function.placement",
        where="management-organization/Features/Resource/Function/Resource/Resource",
        finding=_OUTSIDE,
        reason="It asks AWS Organizations, whose only endpoint is public, to enable features; the management account has no "
        "network and must have none.",
    ),
    Exemption(
        control="compute.function.placement",
        where="management-organization/Placements/Provider/Function/Resource/Resource",
        finding=_OUTSIDE,
        reason="It moves accounts by calls to AWS Organizations alone, from an account in which no network is ever made.",
    ),
    Exemption(
        control="compute.function.failures",
        where="*-audit-shipping/Shipper/Function/Resource/Resource",
        finding="events from ",
        reason="The archive is its queue: the next run, five minutes later, finds whatever a failed one left; an hour without "
        "a run that says so raises the alarm.",
    ),
    Exemption(
        control="data.secret.rotation",
        where="*-audit-shipping/Shipper/Secret/Resource",
        finding="nothing rotates it",
        reason="The log service issues the token, or has to learn the signing key, so no function can replace it alone.",
    ),
    Exemption(
        control="compute.function.placement",
        where="*-offboarding/Desk/Resource/Resource",
        finding=_OUTSIDE,
        reason="It starts deletions and mails reminders through Step Functions and SNS, to which the network has no private "
        "way; the functions that touch tenants' data run inside.",
    ),
    Exemption(
        control="compute.function.placement",
        where="*-debug-export/Desk/Resource/Resource",
        finding=_OUTSIDE,
        reason="It begins exports through Step Functions, to which the network has no private way, and signs links; the function "
        "that reads a tenant's items runs inside.",
    ),
    Exemption(
        control="data.stateful.retained",
        where="*-entry/OriginSecret*/Resource/Resource",
        finding="",
        reason="It is a random value that both ends read from here; a new one is made with the stack and nothing is lost.",
    ),
    Exemption(
        control="data.stateful.termination-protection",
        where="*-entry/OriginSecret*/Resource/Resource",
        finding="",
        reason="The entry stack holds no data; its secret is random and made anew with it.",
    ),
    Exemption(
        control="data.secret.rotation",
        where="*-entry/OriginSecret*/Resource/Resource",
        finding="nothing rotates it",
        reason="CloudFront and the load balancer must change to a new value together, which two deployments with a second "
        "secret do; a rotation by clock would cut the site off.",
    ),
    Exemption(
        control="compute.function.placement",
        where="security-chat/Receiver/Resource/Resource",
        finding=_OUTSIDE,
        reason="It reaches a queue, a secret and the archive through AWS's own endpoints, from an account that has no network.",
    ),
    Exemption(
        control="compute.function.placement",
        where="security-chat/Worker/Resource/Resource",
        finding=_OUTSIDE,
        reason="It answers at the chat's own hosts, letter by letter, from an account that has no network.",
    ),
    Exemption(
        control="compute.function.placement",
        where="security-drills/Judge/Resource/Resource",
        finding=_OUTSIDE,
        reason="It reads and writes records in the archive and mails the team, from an account that has no network.",
    ),
    Exemption(
        control="compute.function.failures",
        where="security-drills/Judge/Resource/Resource",
        finding="events from ",
        reason="One failure raises the alarm at once, and any later call, a person's too, judges what the failed one left.",
    ),
    Exemption(
        control="data.secret.rotation",
        where="security-chat/Secret/Resource/Resource",
        finding="nothing rotates it",
        reason="The chat makes the secret that it signs with, and has no interface by which a function could change it; people "
        "bring the new one over, and both count for a day.",
    ),
    Exemption(
        control="edge.api.methods",
        where="security-chat/Webhook/Resource/Default/commands/POST/Resource",
        finding="anybody may call it",
        reason="The chat proves itself by a signature over the body, which API Gateway shows to no authorizer; the function "
        "behind the method checks it before all else.",
    ),
    Exemption(
        control="storage.bucket.encryption",
        where="*-documents/Objects/Resource/Resource",
        finding="no bucket key",
        reason="A bucket key would replace each object's encryption context by the bucket's, and the tenant's own context is "
        "what keeps one tenant's role from reading another's objects.",
    ),
)
