"""The stage's database, as it is wired into the whole."""

from __future__ import annotations

from assembly import Assembly
from stacks.network import DATABASE_PORT
from tests.fixture_deployment import FIXTURE


def test_every_stage_has_a_cluster_on_the_port_that_the_groups_open(assembly: Assembly) -> None:
    for stage in FIXTURE.stages:
        clusters = [r for s, r in assembly.resources("AWS::RDS::DBCluster") if s.name == f"{stage.name}-data"]
        assert len(clusters) == 1
        assert clusters[0].properties["Port"] == DATABASE_PORT


def test_instances_are_as_many_as_the_shape_says_each_in_a_zone_of_its_own(assembly: Assembly) -> None:
    for stage in FIXTURE.stages:
        zones = [
            r.properties["AvailabilityZone"]
            for s, r in assembly.resources("AWS::RDS::DBInstance")
            if s.name == f"{stage.name}-data"
        ]
        assert len(zones) == len(set(zones)) == stage.shape.aurora_instances
        assert set(zones) <= set(FIXTURE.home.zones)


def test_the_database_survives_its_stack(assembly: Assembly) -> None:
    for stack, cluster in assembly.resources("AWS::RDS::DBCluster"):
        assert stack.termination_protection
        assert cluster.definition["DeletionPolicy"] == "Snapshot"
        assert cluster.properties["BackupRetentionPeriod"] == FIXTURE.retention.database_backup_days
