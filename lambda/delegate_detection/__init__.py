"""Hands the administration of the organization's detectors to the security account."""
