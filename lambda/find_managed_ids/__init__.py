"""Finds the ids of lists that AWS keeps, which differ from region to region."""
