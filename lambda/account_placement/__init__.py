"""Moves an account that exists into its organizational unit."""
