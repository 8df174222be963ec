"""Container images."""

from palisade.images.image_repository import ImageRepository
from palisade.images.registry_scanning import RegistryScanning

__all__ = ["ImageRepository", "RegistryScanning"]
