"""Quality cannot fall unseen: floors on a fixed sample of the labelled pages, where these lie beside the repository.

The pages were also learned from, so that these numbers are higher than on pages never seen (docs/extraction.md has
those): the floors guard against breaking something, they do not measure.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DATA = ROOT.parent / "shared" / "data"
NEWS, MIXED = DATA / "extract_publishers_dev", DATA / "extract_wcxb_dev"

pytestmark = pytest.mark.skipif(not NEWS.is_dir(), reason="the labelled pages are not here")

FLOORS = {
    NEWS: {"shingle": 0.975, "par": 0.93, "title": 0.87, "author": 0.87, "date": 0.98},
    MIXED: {"shingle": 0.935, "word": 0.938, "with": 0.89},
}
CEILING_LEAKED = 0.025


@pytest.mark.parametrize("folder", [NEWS, MIXED], ids=lambda folder: folder.name)
def test_quality_stays_above_its_floor(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    sys.modules.pop("extraction", None)
    import extraction

    result = extraction.run("ours", extraction.pages(folder, step=3 if folder == NEWS else 8))
    below = {
        name: (round(result[name], 3), floor)
        for name, floor in FLOORS[folder].items()
        if result[name] < floor
    }
    assert not below
    assert result.get("without", 0.0) <= CEILING_LEAKED
