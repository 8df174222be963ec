"""Decides from the templates of all accounts together whether each promise holds, and shows why."""
