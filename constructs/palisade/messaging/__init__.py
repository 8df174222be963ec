"""Encrypted topics and queues."""

from palisade.messaging.dead_letter_queue import DeadLetterQueue
from palisade.messaging.encrypted_queue import EncryptedQueue
from palisade.messaging.encrypted_topic import EncryptedTopic

__all__ = ["DeadLetterQueue", "EncryptedQueue", "EncryptedTopic"]
