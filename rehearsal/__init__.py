"""The rehearsal: every template of an assembly created, verified, updated and deleted on an embedded AWS."""
