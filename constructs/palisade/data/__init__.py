"""Databases."""

from palisade.data.aurora_postgres import AuroraPostgres, DatabaseCapacity, DatabaseKeys, DatabaseNetwork
from palisade.data.migration_schedule import MigrationSchedule

__all__ = ["AuroraPostgres", "DatabaseCapacity", "DatabaseKeys", "DatabaseNetwork", "MigrationSchedule"]
