"""What several test files share."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))

from cli_runner import archive, empty_folder, made_archive  # noqa: F401 - fixtures
from server import Server

# No test asserts a time: on a busy machine 200 ms, hypothesis's own limit for an example, are soon over.
settings.register_profile("busy machine", deadline=None)
settings.load_profile("busy machine")


@pytest.fixture
def server() -> Iterator[Server]:
    """A scripted HTTP server on 127.0.0.1, see server.py."""
    with Server() as running:
        yield running
