"""Seals every credential anew, under a new data key and the vault's key of now; as often as needed until none is left."""
