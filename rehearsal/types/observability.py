"""Composite alarms, canaries, objectives, account-wide log policies, event buses' friends, budgets."""

from __future__ import annotations

from typing import Any

from rehearsal.emulator.spec import Context, Props, made_up, named, spec, text


def _alarm_arn(props: Props, _answer: Any, context: Context) -> str:
    return context.arn("cloudwatch", f"alarm:{props.get('AlarmName') or context.name()}")


for _type, _put in (("Alarm", "put_metric_alarm"), ("CompositeAlarm", "put_composite_alarm")):
    spec(
        f"AWS::CloudWatch::{_type}",
        "cloudwatch",
        _put,
        named("AlarmName"),
        update="create",
        extra=lambda p, c: {"AlarmName": p.get("AlarmName") or c.name()},
        attributes={"Arn": _alarm_arn},
        delete="delete_alarms",
        delete_with=lambda i, _p, _a: {"AlarmNames": [i]},
    )
spec("AWS::CloudWatch::AnomalyDetector", "cloudwatch", "put_anomaly_detector", made_up("anomaly-"), recorded=True)
spec("AWS::CloudWatch::InsightRule", "cloudwatch", "put_insight_rule", named("RuleName"), recorded=True)


def _canary(props: Props, _context: Context) -> Props:
    code = dict(props["Code"])
    made: Props = {"Code": {"Handler": code.get("Handler", "index.handler")}}
    if code.get("S3Bucket"):
        made["Code"].update(S3Bucket=code["S3Bucket"], S3Key=code["S3Key"])
    if code.get("Script"):
        made["Code"]["ZipFile"] = str(code["Script"]).encode()
    return made


spec(
    "AWS::Synthetics::Canary",
    "synthetics",
    "create_canary",
    named("Name"),
    drop=("Code",),
    extra=_canary,
    attributes={"Id": "Canary.Id", "State": "Canary.Status.State"},
    rename={"VPCConfig": "VpcConfig", "ResourcesToReplicateTags": "ResourcesToReplicateTags"},
    delete="delete_canary",
    delete_with=lambda i, _p, _a: {"Name": i},
)
spec(
    "AWS::ApplicationSignals::ServiceLevelObjective",
    "application-signals",
    "create_service_level_objective",
    lambda p, _r, c: c.arn("application-signals", f"slo/{p['Name']}"),
    attributes={"Arn": lambda p, _r, c: c.arn("application-signals", f"slo/{p['Name']}")},
    rename={"Sli": "SliConfig", "RequestBasedSli": "RequestBasedSliConfig"},
    recorded=True,
)
spec(
    "AWS::ApplicationSignals::Discovery",
    "application-signals",
    "start_discovery",
    lambda _p, _r, c: c.account,
    recorded=True,
)
spec("AWS::Logs::AccountPolicy", "logs", "put_account_policy", named("PolicyName"), recorded=True)
spec(
    "AWS::Logs::QueryDefinition",
    "logs",
    "put_query_definition",
    made_up("query-"),
    attributes={"QueryDefinitionId": made_up("query-")},
    recorded=True,
)
spec(
    "AWS::Logs::Destination",
    "logs",
    "put_destination",
    named("DestinationName"),
    drop=("DestinationPolicy",),
    attributes={"Arn": "destination.arn"},
    update="create",
    delete="delete_destination",
    delete_with=lambda i, _p, _a: {"destinationName": i},
)
spec(
    "AWS::XRay::Group", "xray", "create_group", lambda p, _r, c: c.arn("xray", f"group/{p['GroupName']}"), recorded=True
)
spec("AWS::XRay::ResourcePolicy", "xray", "put_resource_policy", named("PolicyName"), recorded=True)
spec(
    "AWS::Events::EventBusPolicy",
    "events",
    "put_permission",
    lambda p, _r, _c: f"{p.get('EventBusName', 'default')}|{p['StatementId']}",
    update="create",
    drop=("Statement",),
    extra=lambda p, _c: (
        {"Policy": text({"Version": "2012-10-17", "Statement": [{"Sid": p["StatementId"], **dict(p["Statement"])}]})}
        if p.get("Statement")
        else {}
    ),
    delete="remove_permission",
    delete_with=lambda i, _p, _a: {"EventBusName": i.split("|")[0], "StatementId": i.split("|")[1]},
)
spec(
    "AWS::Events::Connection",
    "events",
    "create_connection",
    named("Name"),
    extra=lambda p, c: {"Name": p.get("Name") or c.name()},
    attributes={"Arn": "ConnectionArn", "SecretArn": lambda _p, _r, c: c.arn("secretsmanager", "secret:connection")},
    delete="delete_connection",
    delete_with=lambda i, _p, _a: {"Name": i},
)
spec(
    "AWS::Events::ApiDestination",
    "events",
    "create_api_destination",
    named("Name"),
    extra=lambda p, c: {"Name": p.get("Name") or c.name()},
    attributes={"Arn": "ApiDestinationArn"},
    delete="delete_api_destination",
    delete_with=lambda i, _p, _a: {"Name": i},
)


def _budget(props: Props, context: Context) -> Props:
    budget = dict(props["Budget"])
    made: Props = {
        "AccountId": context.account,
        "Budget": {**budget, "BudgetName": budget.get("BudgetName") or context.name()},
    }
    notifications = [dict(item) for item in props.get("NotificationsWithSubscribers") or []]
    return {**made, **({"NotificationsWithSubscribers": notifications} if notifications else {})}


spec(
    "AWS::Budgets::Budget",
    "budgets",
    "create_budget",
    lambda p, _r, c: p["Budget"].get("BudgetName") or c.name(),
    only=(),
    extra=_budget,
    delete="delete_budget",
    delete_with=lambda i, _p, a: {"AccountId": a["AccountId"], "BudgetName": i},
    attributes={"AccountId": lambda _p, _r, c: c.account},
)
