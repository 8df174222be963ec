"""Blocks public access to every bucket and access point of the account."""
