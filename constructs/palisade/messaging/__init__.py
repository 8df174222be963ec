"""Encrypted topics and queues."""

from palisade.messaging.encrypted_queue import EncryptedQueue
from palisade.messaging.encrypted_topic import EncryptedTopic

__all__ = ["EncryptedQueue", "EncryptedTopic"]
