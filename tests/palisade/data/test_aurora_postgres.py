"""The database cluster: encrypted, TLS only, audited, spread over zones, recoverable."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from palisade.data import AuroraPostgres, DatabaseCapacity, DatabaseKeys, DatabaseNetwork

from stacks.synthesis import new_app

KEY = "arn:aws:kms:eu-central-1:200000000001:key/1a2b3c4d-1111-2222-3333-44445555666"
ZONES = ("eu-central-1a", "eu-central-1b", "eu-central-1c")


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "cdk.out"
    app = new_app(outdir=path, context={"@aws-cdk/core:failSynthOnValidationErrors": False})
    stack = cdk.Stack(app, "Data", env=cdk.Environment(account="200000000001", region="eu-central-1"))
    vpc = ec2.Vpc.from_vpc_attributes(
        stack,
        "Vpc",
        vpc_id="vpc-12345678",
        availability_zones=list(ZONES),
        isolated_subnet_ids=["subnet-1111aaaa", "subnet-2222bbbb", "subnet-3333cccc"],
        isolated_subnet_route_table_ids=["rtb-1111aaaa", "rtb-1111aaaa", "rtb-1111aaaa"],
    )
    AuroraPostgres(
        stack,
        "Database",
        name="acme-prod",
        schema="acme",
        network=DatabaseNetwork(
            vpc=vpc,
            subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
            zones=ZONES,
            security_group=ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-1234abcd", mutable=False),
            port=6432,
        ),
        keys=DatabaseKeys(
            data=kms.Key.from_key_arn(stack, "DataKey", f"{KEY}1"),
            secrets=kms.Key.from_key_arn(stack, "SecretsKey", f"{KEY}2"),
            logs=kms.Key.from_key_arn(stack, "LogsKey", f"{KEY}3"),
        ),
        capacity=DatabaseCapacity(instances=3, minimum=1, maximum=8),
        recovery_days=35,
        log_days=365,
    )
    app.synth()
    return path


@pytest.fixture(scope="module")
def template(directory: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((directory / "Data.template.json").read_text(encoding="utf-8"))
    return loaded


def _all(template: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [resource for resource in template["Resources"].values() if resource["Type"] == kind]


def _cluster(template: dict[str, Any]) -> dict[str, Any]:
    (cluster,) = _all(template, "AWS::RDS::DBCluster")
    return cluster


def test_the_policy_packs_find_nothing(directory: Path) -> None:
    report = json.loads((directory / "validation-report.json").read_text(encoding="utf-8"))
    found = [
        f"{v['ruleName']} {v['violatingConstructs'][0]['constructPath']} {v['description']}"
        for plugin in report["pluginReports"]
        for v in plugin.get("violations", [])
    ]
    assert not found, "\n".join(found)


def test_data_insights_password_and_logs_are_under_customer_keys(template: dict[str, Any]) -> None:
    properties = _cluster(template)["Properties"]
    assert properties["StorageEncrypted"] is True
    assert properties["KmsKeyId"] == properties["PerformanceInsightsKmsKeyId"] == f"{KEY}1"
    assert properties["MasterUserSecret"] == {"KmsKeyId": f"{KEY}2"}
    assert {group["Properties"]["KmsKeyId"] for group in _all(template, "AWS::Logs::LogGroup")} == {f"{KEY}3"}


def test_no_password_is_in_the_template(template: dict[str, Any]) -> None:
    properties = _cluster(template)["Properties"]
    assert properties["ManageMasterUserPassword"] is True
    assert "MasterUserPassword" not in properties
    assert not _all(template, "AWS::SecretsManager::Secret")


def test_refuses_plaintext_connections_and_old_passwords(template: dict[str, Any]) -> None:
    (group,) = _all(template, "AWS::RDS::DBClusterParameterGroup")
    parameters = group["Properties"]["Parameters"]
    assert parameters["rds.force_ssl"] == "1"
    assert parameters["ssl_min_protocol_version"] == "TLSv1.2"
    assert parameters["rds.accepted_password_auth_method"] == "scram"


def test_reads_writes_grants_and_schema_changes_are_audited_without_values(template: dict[str, Any]) -> None:
    (group,) = _all(template, "AWS::RDS::DBClusterParameterGroup")
    parameters = group["Properties"]["Parameters"]
    assert "pgaudit" in parameters["shared_preload_libraries"].split(",")
    assert set(parameters["pgaudit.log"].split(",")) >= {"read", "write", "role", "ddl"}
    assert parameters["pgaudit.log_parameter"] == "0"
    assert parameters["log_statement"] == "none"


def test_every_exported_log_has_its_group_before_the_cluster_writes(template: dict[str, Any]) -> None:
    cluster = _cluster(template)
    names = {
        template["Resources"][logical_id]["Properties"]["LogGroupName"]
        for logical_id in cluster["DependsOn"]
        if template["Resources"][logical_id]["Type"] == "AWS::Logs::LogGroup"
    }
    exports = cluster["Properties"]["EnableCloudwatchLogsExports"]
    assert names == {f"/aws/rds/cluster/acme-prod/{export}" for export in exports}
    assert "postgresql" in exports


def test_instances_wait_until_their_monitoring_role_may_write(template: dict[str, Any]) -> None:
    for instance in _all(template, "AWS::RDS::DBInstance"):
        waited_for = {template["Resources"][logical_id]["Type"] for logical_id in instance["DependsOn"]}
        assert {"AWS::IAM::ManagedPolicy", "AWS::IAM::Role"} <= waited_for


def test_instances_are_in_different_zones_and_not_public(template: dict[str, Any]) -> None:
    instances = [instance["Properties"] for instance in _all(template, "AWS::RDS::DBInstance")]
    assert sorted(instance["AvailabilityZone"] for instance in instances) == list(ZONES)
    assert not any(instance["PubliclyAccessible"] for instance in instances)


def test_a_reader_can_take_over_at_once(template: dict[str, Any]) -> None:
    tiers = [instance["Properties"]["PromotionTier"] for instance in _all(template, "AWS::RDS::DBInstance")]
    assert set(tiers) <= {0, 1}, "tiers above 1 do not scale with the writer"


def test_deletion_is_refused_and_leaves_a_snapshot(template: dict[str, Any]) -> None:
    cluster = _cluster(template)
    assert cluster["DeletionPolicy"] == cluster["UpdateReplacePolicy"] == "Snapshot"
    assert cluster["Properties"]["DeletionProtection"] is True
    assert cluster["Properties"]["DeleteAutomatedBackups"] is False
    assert cluster["Properties"]["BackupRetentionPeriod"] == 35
    assert cluster["Properties"]["CopyTagsToSnapshot"] is True


def test_has_neither_default_port_nor_default_names(template: dict[str, Any]) -> None:
    properties = _cluster(template)["Properties"]
    assert properties["Port"] != 5432
    assert properties["MasterUsername"] not in {"postgres", "admin", "root"}
    assert properties["DatabaseName"] != "postgres"


def test_the_cluster_alone_carries_the_backup_tag(template: dict[str, Any]) -> None:
    tagged = [
        resource["Type"]
        for resource in template["Resources"].values()
        if {"Key": "palisade:backup", "Value": "standard"} in (resource.get("Properties") or {}).get("Tags", [])
    ]
    assert tagged == ["AWS::RDS::DBCluster"]
