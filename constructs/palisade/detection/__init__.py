"""Detectors in every account and region, and the bus that their findings reach."""

from palisade.detection import signals
from palisade.detection.account_detectors import AccountDetectors
from palisade.detection.central_posture import CentralPosture
from palisade.detection.conformance import Conformance
from palisade.detection.coverage import Coverage
from palisade.detection.delegation import Delegation
from palisade.detection.findings_bus import FindingsBus
from palisade.detection.findings_forwarder import FindingsForwarder, FindingsSender
from palisade.detection.organization_analysers import OrganizationAnalysers
from palisade.detection.organization_record import OrganizationRecord
from palisade.detection.severe_notices import SevereNotices

__all__ = [
    "AccountDetectors",
    "CentralPosture",
    "Conformance",
    "Coverage",
    "Delegation",
    "FindingsBus",
    "FindingsForwarder",
    "FindingsSender",
    "OrganizationAnalysers",
    "OrganizationRecord",
    "SevereNotices",
    "signals",
]
