"""Prepares an account for deployment with the least rights that its templates need."""
