"""Promises about audit logs on their way: redacted before the archive, and on to a log service without loss."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from gate.invariants.evidence import REDACTOR
from proofs.delivery.arrows import SHIPPER, processors
from proofs.finding import Case, Finding, Note, note, proof
from proofs.model import Model, Node, as_list, at
from proofs.register.questions import Facts, facts, statements, texts

_STREAM = "AWS::KinesisFirehose::DeliveryStream"
_FUNCTION = "AWS::Lambda::Function"
_GROUP = "AWS::Logs::LogGroup"
_ROLE = "AWS::IAM::Role"
_DEEDS = re.compile(r'|\{ \$\.event = "([a-z-]+\.)?\*" \}')
"""All of a log, or all deeds that a function tells of, or those of one kind, as against the platform's own lines."""
_WHO = ("requestId", "authorizer.principalId", "authorizer.tenant", "identity.sourceIp")
LONGEST_OUTAGE_DAYS = 30
"""What a log service may be down for before the archive forgets the first of what it has not had."""


@proof("logs.redacted-on-the-way")
def redacted_on_the_way(case: Case, finding: Finding) -> None:
    """Everything that a stream carries is redacted before it is stored, by a function that the stream may really call.

    That functions redact what they write, and that neither emails, passwords, tokens nor card numbers come out of any of these
    paths in whatever encoding, tests/lambda/test_log_paths.py shows, which refuses a path that it does not know.
    https://docs.aws.amazon.com/firehose/latest/dev/data-transformation.html
    """
    known = facts(case)
    refused = {arrow.sender: why for arrow, why in known.deliveries("audit log to function") if why is not None}
    for stream in known.model.of(_STREAM):
        redactors = [
            function
            for kind, parameters in processors(stream)
            if kind == "Lambda"
            and (function := known.model.find(parameters.get("LambdaArn"), _FUNCTION, near=stream)) is not None
            and function.get("Handler") == REDACTOR
        ]
        if not redactors:
            finding.broken.append(note(stream, "nothing redacts what it carries"))
        elif stream in refused:
            finding.broken.append(note(refused[stream].where, f"{stream.path} cannot redact: {refused[stream].text}"))
        else:
            finding.evidence.append(note(stream, f"redacted by {redactors[0].path}"))


@proof("logs.shipped-without-loss")
def shipped_without_loss(case: Case, finding: Finding) -> None:
    """Whatever a stage's streams deliver goes on to its log service, and the archive keeps it until long after any outage.

    A schedule calls the shipper, whose role reads every folder that streams deliver into, the receipts and the secret; the
    network resolves the service's name; somebody hears of an hour without delivery, also when nothing runs.
    tests/lambda/ship_audit/test_shipping.py moves the clock through outages of days, and the rehearsal takes a service down.
    """
    known = facts(case)
    shippers = [function for function in known.model.of(_FUNCTION) if function.get("Handler") == SHIPPER]
    if not shippers:
        finding.missing.append(Note("log_service", "no stage has a log service", _FUNCTION))
    for shipper in shippers:
        faults = list(_faults(known, shipper))
        for where, text in faults:
            finding.broken.append(note(where, text))
        if not faults:
            host = urlsplit(_variable(shipper, "URL")).hostname
            finding.evidence.append(note(shipper, f"sends whatever the archive gets to {host}"))


@proof("logs.requests-name-their-user")
def requests_name_their_user(case: Case, finding: Finding) -> None:
    """Every request leaves a record of who made it for which tenant, which goes to the archive whole, and so do its deeds.

    It judges the stages, where applications are; what workflows of other accounts decide they record themselves. The API's
    own log names the authorizer's principal; every function behind the API, and the authorizer, tells the archive of its
    deeds; sessions for a tenant carry the user into CloudTrail; and the directory tells of every sign-in.
    tests/lambda/test_log_paths.py shows that each path through the functions names the user, and that redaction spares it.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
    """
    known = facts(case)
    model = known.model
    archived = {
        (group, str(subscription.get("FilterPattern", default="")))
        for subscription in model.of("AWS::Logs::SubscriptionFilter")
        if (group := model.find(subscription.get("LogGroupName"), _GROUP, near=subscription)) is not None
        and model.find(subscription.get("DestinationArn"), _STREAM, near=subscription) is not None
    }
    for subscription in model.of("AWS::Logs::SubscriptionFilter"):
        if _DEEDS.fullmatch(str(subscription.get("FilterPattern", default=""))) is None:
            finding.broken.append(note(subscription, "it lets only some deeds into the archive"))
    for stage in model.of("AWS::ApiGateway::Stage"):
        if stage.account not in known.stages:
            continue
        group = model.find(stage.get("AccessLogSetting", "DestinationArn"), _GROUP, near=stage)
        form = str(stage.get("AccessLogSetting", "Format", default=""))
        absent = [word for word in _WHO if f"$context.{word}" not in form]
        if absent:
            finding.broken.append(note(stage, f"its log does not tell {', '.join(absent)}"))
        if (group, "") not in archived:
            finding.broken.append(note(stage, "not all of its log goes to the archive"))
        if not absent and (group, "") in archived:
            finding.evidence.append(note(stage, "each request is archived with its user and tenant"))
    for arrow, _ in known.deliveries("API to function", "API to authorizer"):
        function = arrow.receiver
        group = function and model.find(function.get("LoggingConfig", "LogGroup"), _GROUP, near=function)
        if function is not None and function.account in known.stages and not any(kept is group for kept, _ in archived):
            finding.broken.append(note(function, "nobody archives what it says about requests"))
    _sessions_and_sign_ins(model, finding)


def _sessions_and_sign_ins(model: Model, finding: Finding) -> None:
    for role in model.of(_ROLE):
        trust = list(statements(role.get("AssumeRolePolicyDocument")))
        if any("sts:TagSession" in texts(one.get("Action")) for one in trust) and not any(
            "sts:SetSourceIdentity" in texts(one.get("Action")) and one.get("Condition") for one in trust
        ):
            finding.broken.append(note(role, "its sessions do not tell whose they are"))
    told = {str(log.get("UserPoolId")) for log in model.of("AWS::Cognito::LogDeliveryConfiguration")}
    for pool in model.of("AWS::Cognito::UserPool"):
        if pool.id not in told and pool.arn not in told:
            finding.broken.append(note(pool, "sign-ins are in no log"))


def _variable(function: Node, name: str) -> str:
    return str(function.get("Environment", "Variables", name, default=""))


def _faults(known: Facts, shipper: Node) -> Iterator[tuple[Node, str]]:
    for arrow, refused in known.deliveries("audit log"):
        if arrow.sender is shipper and refused is not None:
            yield refused.where or shipper, f"{arrow} is refused: {refused.text}"
    called = [
        (arrow, refused)
        for arrow, refused in known.deliveries("rule to function")
        if arrow.receiver is shipper and arrow.sender.get("State", default="ENABLED") == "ENABLED"
    ]
    if not any(refused is None and arrow.sender.get("ScheduleExpression") for arrow, refused in called):
        yield shipper, "no schedule calls it"
    yield from _what_it_sends(known, shipper)
    yield from _way_out(known, shipper)
    if not _heard_of(known, shipper):
        yield shipper, "nobody hears that it sends nothing"


def _what_it_sends(known: Facts, shipper: Node) -> Iterator[tuple[Node, str]]:
    bucket = known.model.find(_variable(shipper, "BUCKET_NAME"), "AWS::S3::Bucket")
    if bucket is None:
        yield shipper, "it reads a bucket that these templates do not make"
        return
    days = bucket.get("ObjectLockConfiguration", "Rule", "DefaultRetention", "Days", default=0)
    if not isinstance(days, int) or days < LONGEST_OUTAGE_DAYS:
        yield bucket, f"it keeps what was not sent for {days} days"
    folders = _variable(shipper, "FOLDERS").split()
    for stream in known.model.of(_STREAM, account=shipper.account):
        settings = stream.get("ExtendedS3DestinationConfiguration", default={})
        landing = known.model.find(at(settings, "BucketARN"), "AWS::S3::Bucket")
        if landing is None or known.replicas.get(landing, landing) is not bucket:
            yield stream, f"what it delivers does not end in {bucket.path}, which is what is sent"
        elif not any(str(at(settings, "Prefix")).startswith(folder) for folder in folders):
            yield shipper, f"it leaves out what {stream.path} delivers under {at(settings, 'Prefix')}"


def _way_out(known: Facts, shipper: Node) -> Iterator[tuple[Node, str]]:
    address = urlsplit(_variable(shipper, "URL"))
    if address.scheme != "https" or address.username or address.query:
        yield shipper, "its URL is not plain https"
    if not shipper.get("VpcConfig", "SubnetIds"):
        yield shipper, "it runs outside the network, which holds nobody to a list of names"
    listed = [
        str(name).rstrip(".")
        for domains in known.model.of("AWS::Route53Resolver::FirewallDomainList", account=shipper.account)
        for name in as_list(domains.get("Domains"))
    ]
    if address.hostname not in listed:
        yield shipper, f"the network does not resolve {address.hostname}"


def _heard_of(known: Facts, shipper: Node) -> bool:
    group = shipper.get("LoggingConfig", "LogGroup")
    counted = {
        (at(item, "MetricNamespace"), at(item, "MetricName"))
        for metric in known.model.of("AWS::Logs::MetricFilter", account=shipper.account)
        if _same_group(known, metric, group, shipper)
        for item in as_list(metric.get("MetricTransformations"))
        if at(item, "MetricValue") == "$.oldest_seconds"
    }
    return any(
        (alarm.get("Namespace"), alarm.get("MetricName")) in counted
        and alarm.get("TreatMissingData") == "breaching"
        and str(alarm.get("ComparisonOperator")).startswith("GreaterThan")
        and float(alarm.get("Threshold", default=0)) <= 24 * 3600
        and as_list(alarm.get("AlarmActions"))
        for alarm in known.model.of("AWS::CloudWatch::Alarm", account=shipper.account)
    )


def _same_group(known: Facts, metric: Node, group: Any, shipper: Node) -> bool:
    kind = "AWS::Logs::LogGroup"
    there = known.model.find(metric.get("LogGroupName"), kind, near=metric)
    return there is not None and there is known.model.find(group, kind, near=shipper)
