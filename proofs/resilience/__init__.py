"""What is left when a zone or a region is lost."""
