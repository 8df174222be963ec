"""Functions."""

from palisade.compute.custom_resource import CustomResource, ResourceProvider
from palisade.compute.database_layer import DatabaseLayer
from palisade.compute.function import Function, Placement
from palisade.compute.queue_worker import QueueWorker
from palisade.compute.source import lambda_source
from palisade.compute.state_machine import StateMachine
from palisade.compute.token_layer import TokenLayer
from palisade.compute.vault_layer import VaultLayer

__all__ = [
    "CustomResource",
    "DatabaseLayer",
    "Function",
    "Placement",
    "QueueWorker",
    "ResourceProvider",
    "StateMachine",
    "TokenLayer",
    "VaultLayer",
    "lambda_source",
]
