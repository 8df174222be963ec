"""When data is gone, how long evidence stays, and where the two promises meet."""
