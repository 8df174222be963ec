"""Analyses uploaded documents: text statistics and, if one is configured, a provider's summary."""
