"""The fixed monthly price of what the templates make."""
