"""Functions."""

from palisade.compute.custom_resource import CustomResource
from palisade.compute.function import Function, Placement
from palisade.compute.source import lambda_source
from palisade.compute.token_layer import TokenLayer

__all__ = ["CustomResource", "Function", "Placement", "TokenLayer", "lambda_source"]
