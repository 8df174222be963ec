"""Decides about exports of pseudonymised data: who asks, who approves, who gets the link."""
