"""The deployment that a command works on, read without the construct library, which takes a second to start."""

from __future__ import annotations

from ops.places import OpsError
from stacks.configured import deployment_named
from stacks.settings import ConfigError, Deployment


def deployment_of(name: str) -> Deployment:
    """The checked deployment of ``config/<name>.py``.

    Raises:
        OpsError: there is none, or it has problems.
    """
    try:
        return deployment_named(name, place="--deployment ")
    except ConfigError as error:
        raise OpsError(str(error)) from None
