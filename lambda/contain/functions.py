"""Isolates a function."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contain.action import Action, RefusedError, State

CONCURRENCY = "reserved concurrency"
_ATTEMPTS = 8
_ON = frozenset({"Creating", "Enabled", "Enabling", "Updating"})


@dataclass(frozen=True, kw_only=True)
class IsolateFunction(Action):
    """Lets no invocation begin and no queue or stream be read: reserved concurrency 0, event source mappings disabled.

    Only functions of the stage's own stacks, whose names begin with ``prefix``.
    https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
    https://docs.aws.amazon.com/lambda/latest/api/API_UpdateEventSourceMapping.html
    """

    name: str = "isolate-function"
    warning: str = (
        "Invocations that run go on until they end, at most 15 minutes. Messages wait in their queues for as long as these "
        "keep them; requests are answered with an error."
    )
    stops_product: bool = True
    functions: Any
    prefix: str
    sleep: Callable[[float], None] = time.sleep

    def check(self, target: str) -> None:
        if not re.fullmatch(r"[\w-]{1,64}", target) or not target.startswith(self.prefix):
            raise RefusedError(f"{target} is not the name of a function of this stage: those begin with {self.prefix}.")
        try:
            self.functions.get_function_configuration(FunctionName=target)
        except self.functions.exceptions.ResourceNotFoundException:
            raise RefusedError(f"there is no function {target}.") from None

    def look(self, target: str) -> dict[str, Any]:
        reserved = self.functions.get_function_concurrency(FunctionName=target).get("ReservedConcurrentExecutions")
        pages = self.functions.get_paginator("list_event_source_mappings").paginate(FunctionName=target)
        mappings = {one["UUID"]: one["State"] in _ON for page in pages for one in page["EventSourceMappings"]}
        return {CONCURRENCY: reserved, **dict(sorted(mappings.items()))}

    def wanted(self, before: State, at: datetime) -> dict[str, Any]:
        return {part: 0 if part == CONCURRENCY else False for part in before}

    def apply(self, target: str, part: str, value: Any) -> None:
        if part != CONCURRENCY:
            self._switch(part, value)
        elif value is None:
            self.functions.delete_function_concurrency(FunctionName=target)
        else:
            self.functions.put_function_concurrency(FunctionName=target, ReservedConcurrentExecutions=value)

    def _switch(self, mapping: str, on: bool) -> None:
        """Lambda refuses while a change of before is under way."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                self.functions.update_event_source_mapping(UUID=mapping, Enabled=on)
            except self.functions.exceptions.ResourceInUseException:
                if attempt == _ATTEMPTS:
                    raise
                self.sleep(5)
            else:
                return
