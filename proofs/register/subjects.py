"""Imports every subject of this package, so that its proofs are registered."""

import proofs.register.access
import proofs.register.accounts
import proofs.register.backups
import proofs.register.changes
import proofs.register.containment
import proofs.register.debug_export
import proofs.register.deliveries
import proofs.register.detection
import proofs.register.drift
import proofs.register.egress
import proofs.register.grants
import proofs.register.guardrails
import proofs.register.identity
import proofs.register.images
import proofs.register.incidents
import proofs.register.keys
import proofs.register.levels
import proofs.register.logs
import proofs.register.network
import proofs.register.objectives
import proofs.register.offboarding
import proofs.register.people
import proofs.register.residency
import proofs.register.reviews
import proofs.register.rows
import proofs.register.separation
import proofs.register.shipping
import proofs.register.tenants
import proofs.register.throttles
import proofs.register.transport
import proofs.register.users
import proofs.register.vault
import proofs.register.workload  # noqa: F401
