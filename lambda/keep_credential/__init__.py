"""Keeps credentials of third parties in the vault: new versions, which is current, what there is."""
