"""Turns on what AWS Backup leaves to each account and region to choose."""
