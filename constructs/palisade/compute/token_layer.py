"""The layer for functions that verify JSON web tokens."""

from __future__ import annotations

from pathlib import Path

from constructs import Construct
from palisade.compute.pinned_layer import ROOT, pinned_layer

TOKEN_LOCK = ROOT / "requirements" / "layer-token.txt"
TOKEN_FILES = ROOT / "build" / "layers" / "token"


class TokenLayer(Construct):
    """PyJWT and its cryptography, exactly as ``requirements/layer-token.txt`` pins them by hash.

    Raises:
        ValueError: the files are absent or were fetched for another lock.

    https://docs.aws.amazon.com/lambda/latest/dg/python-layers.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        lock: Path = TOKEN_LOCK,
        files: Path = TOKEN_FILES,
    ) -> None:
        super().__init__(scope, construct_id)
        self.layer = pinned_layer(self, "Resource", libraries="PyJWT with cryptography", lock=lock, files=files)
