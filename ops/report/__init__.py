"""Writes the trust report: what is promised, what is proven, and what is left for people to attest."""
