"""Functions."""

from palisade.compute.function import Function, Placement
from palisade.compute.source import lambda_source

__all__ = ["Function", "Placement", "lambda_source"]
