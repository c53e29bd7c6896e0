"""What several test files share."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from cli_runner import archive, empty_folder, made_archive  # noqa: F401 - fixtures
from server import Server


@pytest.fixture
def server() -> Iterator[Server]:
    """A scripted HTTP server on 127.0.0.1, see server.py."""
    with Server() as running:
        yield running
