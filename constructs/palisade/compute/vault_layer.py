"""The layer for functions that seal or open credentials."""

from __future__ import annotations

from constructs import Construct
from palisade.compute.pinned_layer import ROOT, pinned_layer


class VaultLayer(Construct):
    """The AWS Encryption SDK, exactly as ``requirements/layer-vault.txt`` pins it by hash.

    Raises:
        ValueError: the files are absent or were fetched for another lock.

    https://docs.aws.amazon.com/encryption-sdk/latest/developer-guide/python.html
    """

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.layer = pinned_layer(
            self,
            "Resource",
            libraries="AWS Encryption SDK",
            lock=ROOT / "requirements" / "layer-vault.txt",
            files=ROOT / "build" / "layers" / "vault",
        )
