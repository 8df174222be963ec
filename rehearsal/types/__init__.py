"""The CloudFormation types ministack lacks, one file per subject."""

from importlib import import_module
from pkgutil import iter_modules


def load() -> None:
    """Register every type of every subject."""
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
