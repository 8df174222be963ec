"""Customer-managed keys."""

from palisade.keys.customer_key import CustomerKey

__all__ = ["CustomerKey"]
