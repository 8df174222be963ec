"""Third-party libraries of functions, exactly as a lock file pins them by hash."""

from __future__ import annotations

import hashlib
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_

from constructs import Construct

ROOT = Path(__file__).resolve().parents[3]


def pinned_layer(
    scope: Construct, construct_id: str, *, libraries: str, lock: Path, files: Path
) -> lambda_.LayerVersion:
    """A layer of ``libraries`` for Python 3.14 on Arm: what ``make layers`` fetched into ``files`` for ``lock``.

    The lock file's content decides the layer's version, so that the same lock gives the same template on every machine.

    Raises:
        ValueError: the files are absent or were fetched for another lock.

    https://docs.aws.amazon.com/lambda/latest/dg/python-layers.html
    """
    wanted = lock.read_bytes()
    fetched_for = files / "lock.txt"
    if not (files / "python").is_dir() or not fetched_for.is_file():
        raise ValueError(f'{files}: the {files.name} layer is not there. Run "make layers" to fetch it.')
    if fetched_for.read_bytes() != wanted:
        raise ValueError(
            f'{files}: the {files.name} layer is not what {lock} pins. Run "make layers" to fetch it anew.'
        )
    return lambda_.LayerVersion(
        scope,
        construct_id,
        description=libraries,
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
