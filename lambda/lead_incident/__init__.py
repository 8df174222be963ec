"""Says what an incident needs next: whom to call, of what to remind, and when to look again."""
