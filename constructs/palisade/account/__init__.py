"""What holds in a whole account, whatever runs in it."""

from palisade.account.configuration_record import ConfigurationRecord
from palisade.account.drift_detection import DriftDetection
from palisade.account.private_documents import PrivateDocuments
from palisade.account.settings import AccountSettings, RegionSettings

__all__ = ["AccountSettings", "ConfigurationRecord", "DriftDetection", "PrivateDocuments", "RegionSettings"]
