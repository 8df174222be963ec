"""The layer for functions that speak to PostgreSQL."""

from __future__ import annotations

from constructs import Construct
from palisade.compute.pinned_layer import ROOT, pinned_layer


class DatabaseLayer(Construct):
    """pg8000, a driver in pure Python, exactly as ``requirements/layer-database.txt`` pins it by hash.

    Raises:
        ValueError: the files are absent or were fetched for another lock.

    https://docs.aws.amazon.com/lambda/latest/dg/python-layers.html
    """

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.layer = pinned_layer(
            self,
            "Resource",
            libraries="pg8000",
            lock=ROOT / "requirements" / "layer-database.txt",
            files=ROOT / "build" / "layers" / "database",
        )
