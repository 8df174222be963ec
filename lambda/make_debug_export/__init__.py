"""Makes one export of pseudonymised data, and deletes it when its time is over."""
