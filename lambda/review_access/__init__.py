"""Reviews of access: what was found, who signed for it, and what is still there although it was to go."""
