"""The deployment that a command works on, read without the construct library, which takes a second to start."""

from __future__ import annotations

from ops.places import OpsError
from stacks.configured import CONFIG, value_of
from stacks.settings import ConfigError, Deployment, check, named


def deployment_of(name: str) -> Deployment:
    """The checked deployment of ``config/<name>.py``.

    Raises:
        OpsError: there is none, or it has problems.
    """
    available = sorted(path.stem for path in CONFIG.glob("*.py") if path.stem not in {"__init__", "waivers"})
    if name not in available:
        raise OpsError(f"--deployment {name}: there is no config/{name}.py. Choose one of {', '.join(available)}.")
    try:
        return check(named(value_of(name, "DEPLOYMENT"), name))
    except ConfigError as error:
        raise OpsError(str(error)) from None
