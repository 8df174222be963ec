"""Imports every module that registers proofs: import this before asking :data:`proofs.finding.PROOFS`."""

import proofs.coverage.promises
import proofs.encryption.at_rest
import proofs.encryption.in_transit
import proofs.reachability.promises
import proofs.register.subjects
import proofs.resilience.regions
import proofs.resilience.zones
import proofs.retention.promises  # noqa: F401
