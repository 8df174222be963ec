"""The register of claims: what was promised, which proofs decide it, and what they say of an assembly."""
