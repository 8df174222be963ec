"""The page of guardrails, written from the synthesized assembly."""
