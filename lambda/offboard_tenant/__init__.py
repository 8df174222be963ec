"""Where people, and the calendar, say what is to become of a tenant's data."""
