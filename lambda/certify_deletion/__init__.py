"""Opens a deletion, keeps count of it, and certifies its end."""
