"""Encryption at rest and in transit."""
