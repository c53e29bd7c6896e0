"""Floors under the quality of deduplication, where the measuring data is there. Far enough below the measured figures
that only a real loss trips them, and not below what was promised."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
DATA = ROOT.parent / "shared" / "data"

pytestmark = pytest.mark.skipif(not (DATA / "wire_dev2k").is_dir(), reason="the measuring data is not here")


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    spec = importlib.util.spec_from_file_location("benchmark_dedup", ROOT / "benchmarks" / "dedup.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("name", "floor", "lost"),
    [("wire_dev2k", 0.985, 3), ("hand, English", 0.94, 1), ("hand, other languages", 0.96, 1)],
)
def test_copies_are_folded_and_stories_are_not_lost(
    benchmark: ModuleType, name: str, floor: float, lost: int
) -> None:
    scores, _ = benchmark.judge_set(DATA, name, benchmark.ours)
    assert scores["F1"] >= floor
    assert scores["lost stories"] <= lost
    assert scores["left"] <= 0.015
    assert scores.get("merged roundup", 0) <= 0.04


def test_real_newswire_is_folded_and_its_recurring_reports_are_kept_apart(benchmark: ModuleType) -> None:
    scores, _ = benchmark.judge_set(DATA, "reuters", benchmark.ours)
    assert scores["P"] >= 0.99
    assert scores["R"] >= 0.96
