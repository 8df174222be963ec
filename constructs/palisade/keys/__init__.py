"""Customer-managed keys."""

from palisade.keys.customer_key import CustomerKey
from palisade.keys.vault_key import VaultKey, VaultUsers

__all__ = ["CustomerKey", "VaultKey", "VaultUsers"]
