"""The change ledger: who wrote, reviewed and approved what was deployed, in a chain that cannot be altered unnoticed."""
