"""Every path on which something is logged, read out of the templates: each is known here, with why no secret travels on it.

A resource of another type that speaks of logs fails until somebody has thought about it and put it into :data:`PATHS`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from palisade.archive import CDN_LOG_FIELDS, FLOW_LOG_FIELDS
from palisade.edge.hardened_api import ACCESS_LOG
from palisade.edge.web_acl import REDACTED_HEADERS

from assembly import Assembly, Resource
from gate.invariants.evidence import REDACTOR

LAMBDA = Path(__file__).parents[2] / "lambda"
_SPEAKS_OF_LOGS = re.compile(r"(?<![A-Za-z])[Ll]og(?!in|out|ical)|Log(?!in|out|ical)|LOGS?(?![A-Z])")
_ABOUT_ITSELF = {
    "AWS::CloudWatch::Alarm",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::KMS::Key",
    "AWS::KMS::ReplicaKey",
    "AWS::Glue::Table",
    "AWS::Athena::NamedQuery",
    "AWS::Organizations::Policy",
    "AWS::S3::BucketPolicy",
    "AWS::SSO::PermissionSet",
    "AWS::Events::Rule",
    "AWS::EC2::VPCEndpoint",
    "Custom::CoverAccounts",
}
"""Rights, keys, queries and detection of logs that something else writes."""


def _fine(*_: Any) -> None:
    """Where others say what is on the path: a group, a stream in it, a name for a source, a metric counted of it."""


def _function(function: Resource) -> None:
    handler = str(function.properties.get("Handler"))
    if handler.endswith(".handler.handle"):
        # Its lines: tests/lambda/test_log_paths.py. It writes by the redacting logger alone, or nothing.
        assert (LAMBDA / handler.split(".", maxsplit=1)[0] / "handler.py").is_file(), function
    else:
        assert "CustomResource" in function.path or "Custom::" in function.path or "Canary" in function.path, function


def _stream(stream: Resource) -> None:
    (body,) = [value for name, value in stream.properties.items() if name.endswith("DestinationConfiguration")]
    kinds = [one["Type"] for one in body["ProcessingConfiguration"]["Processors"]]
    assert "Lambda" in kinds, stream
    assert body.get("S3BackupMode", "Disabled") == "Disabled", stream


def _api(stage: Resource) -> None:
    form = json.loads(stage.properties["AccessLogSetting"]["Format"])
    assert form == ACCESS_LOG
    for value in form.values():
        assert not re.search(
            r"input|body|header|querystring|authorizer\.(token|claims)|requestOverride|path$", value
        ), value
    for settings in stage.properties["MethodSettings"]:
        # Execution logs would hold headers and bodies.
        assert not settings.get("DataTraceEnabled"), stage
        assert settings.get("LoggingLevel", "OFF") in {"OFF", "ERROR"}, stage


def _firewall(logging: Resource) -> None:
    redacted = {one["SingleHeader"]["Name"] for one in logging.properties["RedactedFields"] if "SingleHeader" in one}
    assert redacted >= set(REDACTED_HEADERS) >= {"authorization", "cookie", "x-api-key"}, logging


def _flow(log: Resource) -> None:
    assert set(re.findall(r"\$\{([a-z0-9-]+)\}", log.properties["LogFormat"])) == set(FLOW_LOG_FIELDS), log


def _database(group: Resource) -> None:
    parameters = group.properties["Parameters"]
    assert parameters["log_statement"] == "none", group
    assert parameters["pgaudit.log_parameter"] in {"0", "off"}, group


def _machine(machine: Resource) -> None:
    logging = machine.properties.get("LoggingConfiguration", {})
    assert not logging.get("IncludeExecutionData"), machine


def _delivery(_: Resource) -> None:
    assert not {
        field for field in CDN_LOG_FIELDS if re.search("cookie|query|referer|authorization", field, re.IGNORECASE)
    }


PATHS: Mapping[str, Callable[[Resource], None]] = {
    "AWS::ApiGateway::Account": _fine,
    "AWS::ApiGateway::Stage": _api,
    "AWS::CloudTrail::Trail": _fine,  # names and parameters of calls, from which AWS leaves secrets out
    "AWS::Cognito::LogDeliveryConfiguration": _fine,  # into a stream
    "AWS::EC2::FlowLog": _flow,
    "AWS::ElasticLoadBalancingV2::LoadBalancer": _fine,  # CloudFront's requests, for which the site's paths hold no secret
    "AWS::KinesisFirehose::DeliveryStream": _stream,
    "AWS::Lambda::Function": _function,
    "AWS::Logs::Delivery": _delivery,
    "AWS::Logs::DeliveryDestination": _fine,
    "AWS::Logs::DeliverySource": _fine,
    "AWS::Logs::LogGroup": _fine,  # masked: test_everything_is_heard
    "AWS::Logs::LogStream": _fine,
    "AWS::Logs::MetricFilter": _fine,
    "AWS::Logs::QueryDefinition": _fine,
    "AWS::Logs::ResourcePolicy": _fine,
    "AWS::Logs::SubscriptionFilter": _fine,  # into a stream, as the test below demands
    "AWS::NetworkFirewall::LoggingConfiguration": _fine,  # addresses and names, never contents: TLS is not opened
    "AWS::RDS::DBCluster": _fine,
    "AWS::RDS::DBInstance": _fine,
    "AWS::RDS::DBClusterParameterGroup": _database,
    "AWS::Route53Resolver::ResolverQueryLoggingConfig": _fine,
    "AWS::Route53Resolver::ResolverQueryLoggingConfigAssociation": _fine,
    "AWS::S3::Bucket": _fine,  # server access logs: keys of objects, which hold ids
    "AWS::SSM::Document": _fine,  # transcripts of people's sessions: the archive's, with readers of its own
    "AWS::StepFunctions::StateMachine": _machine,
    "AWS::Synthetics::Canary": _fine,
    "AWS::WAFv2::LoggingConfiguration": _firewall,
}


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield str(name)
            yield from _keys(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _keys(inner)


def _on_a_path(resource: Resource) -> bool:
    return resource.type.startswith("AWS::Logs::") or any(
        _SPEAKS_OF_LOGS.search(key) for key in _keys(resource.properties)
    )


def test_every_path_is_known_and_carries_no_secret(assembly: Assembly) -> None:
    found = {resource.type for _, resource in assembly.resources() if _on_a_path(resource)}
    assert {"AWS::Lambda::Function", "AWS::ApiGateway::Stage", "AWS::KinesisFirehose::DeliveryStream"} <= found
    assert found <= {*PATHS, *_ABOUT_ITSELF}, "who writes what there, and what takes secrets out of it?"
    for _, resource in assembly.resources():
        if resource.type in PATHS:
            PATHS[resource.type](resource)


def test_log_groups_go_on_through_redacting_streams_only(assembly: Assembly) -> None:
    subscriptions = [resource for _, resource in assembly.resources("AWS::Logs::SubscriptionFilter")]
    assert subscriptions
    for subscription in subscriptions:
        target = subscription.properties["DestinationArn"]["Fn::GetAtt"][0]
        stream = assembly[subscription.stack].resources[target]
        assert stream.type == "AWS::KinesisFirehose::DeliveryStream", subscription
        functions = [r for r in assembly[stream.stack].resources.values() if r.properties.get("Handler") == REDACTOR]
        assert len(functions) == 1


def test_what_python_says_of_an_uncaught_error_stays_in_its_own_group(assembly: Assembly) -> None:
    """Its text may quote anything; it has no ``event``, so no subscription of a function's group takes it along."""
    for _, subscription in assembly.resources("AWS::Logs::SubscriptionFilter"):
        if subscription.properties["FilterPattern"]:
            assert re.fullmatch(r'\{ \$\.event = "[a-z.]*\*" \}', subscription.properties["FilterPattern"])


@pytest.mark.parametrize("name", ["LogGroupName", "logs", "AccessLogSetting", "CloudWatchLogsRoleArn", "EnableLogs"])
def test_names_of_logs_are_recognized(name: str) -> None:
    assert _SPEAKS_OF_LOGS.search(name)


@pytest.mark.parametrize("name", ["ConsoleLogin", "LogoutURLs", "CatalogId", "ManagedLoginVersion", "Logical"])
def test_other_names_are_not(name: str) -> None:
    assert not _SPEAKS_OF_LOGS.search(name)
