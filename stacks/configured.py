"""Reads ``config/``: what a module there says, or one clear error for a file that Python cannot run."""

from __future__ import annotations

import importlib
import traceback
from pathlib import Path
from typing import Any

from stacks.settings import ConfigError, Deployment, Waiver, check, check_waivers, named

CONFIG = Path(__file__).resolve().parent.parent / "config"


def value_of(module: str, name: str) -> Any:
    """What ``name`` is in ``config/<module>.py``; None if the file does not say.

    Raises:
        ConfigError: the file cannot be run: a misspelt field, an address that is none, a forgotten comma.
    """
    try:
        return getattr(importlib.import_module(f"config.{module}"), name, None)
    except Exception as error:
        line = _line(error)
        if line is None:
            raise
        said = error.msg if isinstance(error, SyntaxError) else f"{type(error).__name__}: {error}"
        raise ConfigError(
            [f"{line}: {said.rstrip('.')}. Correct that line; stacks/settings.py says which fields there are."]
        ) from None


def deployment_named(name: str, *, place: str) -> Deployment:
    """The checked deployment of ``config/<name>.py``; ``place`` says in an error where the name was given.

    Raises:
        ConfigError: no such deployment, or it has problems.
    """
    available = sorted(path.stem for path in CONFIG.glob("*.py") if path.stem not in {"__init__", "waivers"})
    if name not in available:
        raise ConfigError([f"{place}{name}: there is no config/{name}.py. Choose one of {', '.join(available)}."])
    return check(named(value_of(name, "DEPLOYMENT"), name))


def waivers() -> tuple[Waiver, ...]:
    """The waivers of ``config/waivers.py``.

    Raises:
        ConfigError: the file cannot be run, or holds something else than waivers.
    """
    return check_waivers(value_of("waivers", "WAIVERS"))


def _line(error: Exception) -> str | None:
    """Where in ``config/`` ``error`` was raised, or None if that was elsewhere."""
    places = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError):
        places.append((error.filename or "", error.lineno))
    for file, line in reversed(places):
        if Path(file).parent == CONFIG:
            return f"config/{Path(file).name}, line {line}"
    return None
