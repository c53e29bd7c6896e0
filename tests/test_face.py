"""The Python face: what is public can be had from the package itself, and does what the README shows."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import aggregator

README = Path(__file__).parent.parent / "README.md"


def python(code: str, folder: Path | None = None) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", aggregator.__all__)
def test_every_public_name_is_there(name):
    assert getattr(aggregator, name)


def test_nothing_heavy_is_imported_before_a_name_is_used():
    loaded = python("import sys, aggregator; print([name for name in sys.modules if 'aggregator.' in name])")
    assert loaded == "[]\n"


def test_a_round_without_news_does_not_wait_for_what_reads_pages():
    heavy = {"bs4", "feedparser", "lxml", "numpy"}
    assert python(f"import sys, aggregator.pipeline; print({heavy!r} & set(sys.modules))") == "set()\n"


@pytest.mark.parametrize("before", ["", "import aggregator.pipeline\n", "import aggregator.extract\n"])
def test_extract_is_the_function_whatever_was_imported_before(before):
    page = "<article><h1>Ferry sails</h1><p>The night boat left the quay at nine on Tuesday evening.</p></article>"
    code = f"{before}from aggregator import extract\nprint(extract({page!r}).title)"
    assert python(code) == "Ferry sails\n"


def test_what_the_readme_shows_runs(archive):
    [code] = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    told = python(code, archive)
    assert "Fogbound ferry follows church bells home after its instruments fail +6" in told
