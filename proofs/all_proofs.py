"""Imports every module that registers proofs: import this before asking :data:`proofs.finding.PROOFS`."""

import proofs.reachability.promises  # noqa: F401
