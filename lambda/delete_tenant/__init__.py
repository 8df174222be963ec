"""Deletes one tenant's data from one store, batch by batch, as far as one call gets."""
