"""Brings the stage's database to the present schema, and sees that every table in it keeps tenants apart."""
