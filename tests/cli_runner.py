"""Running the command line in this process, and an archive for it to read: the demo's, made once."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from aggregator.cli import cli


def run(*args: object, input: str | bytes | None = None, **env: str) -> Result:
    """`aggregator ARGS`; the result has exit_code, stdout and stderr."""
    clean = {
        "AGGREGATOR_FEEDS": None,
        "AGGREGATOR_DB": None,
        "NO_COLOR": None,
        "FORCE_COLOR": None,
        "TZ": "UTC",
    }
    return CliRunner().invoke(
        cli, [str(arg) for arg in args], input=input, env={**clean, **env}, prog_name="aggregator"
    )


def fine(*args: object, **rest: Any) -> str:
    """The stdout of a command that ends with 0."""
    result = run(*args, **rest)
    assert result.exit_code == 0, result.output
    return result.stdout


def objects(*args: object, **rest: Any) -> Any:
    """What a command prints as JSON."""
    return json.loads(fine(*args, **rest))


@pytest.fixture(scope="session")
def made_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("archive") / "demo"
    result = run("demo", folder, "-q")
    assert result.exit_code == 0, result.output
    return folder


@pytest.fixture
def archive(made_archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with the demo's feeds.yaml and db/news.db, the test's own."""
    shutil.copytree(made_archive, tmp_path / "demo")
    monkeypatch.chdir(tmp_path / "demo")
    return tmp_path / "demo"


@pytest.fixture
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with nothing in it, and a home without feeds."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder
