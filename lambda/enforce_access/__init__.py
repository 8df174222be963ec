"""Access grants: makes the accounts be as the records say, again and again, until they are."""
