"""The layer with the one third-party library that functions need: verification of JSON web tokens."""

from __future__ import annotations

import hashlib
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_

from constructs import Construct

_ROOT = Path(__file__).resolve().parents[3]
TOKEN_LOCK = _ROOT / "requirements" / "layer-token.txt"
TOKEN_FILES = _ROOT / "build" / "layers" / "token"


class TokenLayer(Construct):
    """PyJWT and its cryptography for Python 3.14 on Arm, exactly as ``requirements/layer-token.txt`` pins them by hash.

    ``make layers`` fetches the files; synthesis only packs them. The lock file's content decides the layer's version, so
    that the same lock gives the same template on every machine.

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
        wanted = lock.read_bytes()
        fetched_for = files / "lock.txt"
        if not (files / "python").is_dir() or not fetched_for.is_file():
            raise ValueError(f'{files}: the token layer is not there. Run "make layers" to fetch it.')
        if fetched_for.read_bytes() != wanted:
            raise ValueError(f'{files}: the token layer is not what {lock} pins. Run "make layers" to fetch it anew.')
        self.layer = lambda_.LayerVersion(
            self,
            "Resource",
            description="PyJWT with cryptography",
            code=lambda_.Code.from_asset(
                str(files),
                asset_hash_type=cdk.AssetHashType.CUSTOM,
                asset_hash=hashlib.sha256(b"python3.14 aarch64\n" + wanted).hexdigest(),
                # Scripts begin with the path of the interpreter that fetched them, and functions run none.
                exclude=["lock.txt", "python/bin", "**/__pycache__"],
            ),
            compatible_runtimes=[lambda_.Runtime.PYTHON_3_14],
            compatible_architectures=[lambda_.Architecture.ARM_64],
        )
