"""Credentials that no test may find in the wrong place."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ops.credentials.ways_out import Credentials

KEY, SECRET, TOKEN = "ASIAEXAMPLEEXAMPLE00", "secret/of+forty=characters0000000000000", "token/of+a=session" * 8


@pytest.fixture
def credentials() -> Credentials:
    """What STS gave."""
    return Credentials(key=KEY, secret=SECRET, token=TOKEN, expires=datetime(2026, 3, 3, 9, 30, tzinfo=UTC))
