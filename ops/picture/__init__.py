"""The architecture, drawn from the synthesized assembly."""
