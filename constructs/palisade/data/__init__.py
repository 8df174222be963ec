"""Databases."""

from palisade.data.aurora_postgres import AuroraPostgres, DatabaseCapacity, DatabaseKeys, DatabaseNetwork

__all__ = ["AuroraPostgres", "DatabaseCapacity", "DatabaseKeys", "DatabaseNetwork"]
