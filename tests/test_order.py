"""The river does not depend on the order of feeds.yaml, nor on which download finished first."""

from __future__ import annotations

import dataclasses
import random

import pytest
from server import Reply
from test_kill import config, river, town

from aggregator import pipeline
from aggregator.store import Store

__all__ = ["town"]


@pytest.mark.parametrize("seed", range(3))
def test_neither_order_nor_speed_changes_the_river(town, tmp_path, seed):
    chance = random.Random(seed)
    for path, (reply,) in list(town._script.items()):
        assert isinstance(reply, Reply)
        town.answer(path, dataclasses.replace(reply, wait=chance.uniform(0, 0.15)))
    rivers = []
    for run in range(2):
        settled = config(town.base)
        feeds = list(settled.feeds)
        chance.shuffle(feeds)
        database = str(tmp_path / f"{run}.db")
        with Store(database) as store:
            pipeline.run(dataclasses.replace(settled, feeds=tuple(feeds)), store)
        rivers.append(river(database))
    assert rivers[0] == rivers[1]
