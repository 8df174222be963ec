"""Authorizes API requests by a JSON web token of any OpenID Connect issuer."""
