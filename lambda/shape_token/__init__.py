"""Puts tenant and role into the access tokens of the stage's own user pool."""
