"""A function's settings from its environment, all problems at once."""

import os
from collections.abc import Mapping


class InvalidEnvironmentError(ValueError):
    """One or more variables are missing or malformed; the message lists every one."""


def read_environment(*, text: tuple[str, ...], integers: tuple[str, ...] = ()) -> Mapping[str, str]:
    """The named variables, each present and not blank; `integers` must be positive decimal numbers."""
    values = {name: os.environ.get(name, "").strip() for name in (*text, *integers)}
    problems = [f"{name}: missing, set it on the function" for name, value in values.items() if not value]
    problems += [
        f"{name}: expected a positive whole number"
        for name in integers
        if values[name] and not (values[name].isascii() and values[name].isdigit() and int(values[name]) > 0)
    ]
    if problems:
        raise InvalidEnvironmentError("; ".join(problems))
    return values
