"""Reads one account's identities, and in the management account its people's directory, as facts that a review judges."""
