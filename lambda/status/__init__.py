"""Says that the way from the internet to a function works."""
