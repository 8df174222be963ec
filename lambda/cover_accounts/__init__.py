"""Brings every account under GuardDuty, Inspector and Macie."""
