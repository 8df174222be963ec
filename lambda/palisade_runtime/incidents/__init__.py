"""Incidents: what is found, how grave it is, whom it concerns, who is called, and until when what must be done."""
