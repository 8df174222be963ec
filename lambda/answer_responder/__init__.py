"""Answers people who handle incidents: shows, drafts, and records what they do under their own names."""
