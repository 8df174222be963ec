"""The gate bites: weakenings made from the assembly itself, each of which must be caught."""
