"""Palisade's hardened constructs, in rooms by subject."""
