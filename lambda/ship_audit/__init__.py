"""Carries audit events from the archive to a log service outside, each at least once."""
