"""Learn what `aggregator/extract` ships: lexicon.json and trees.json.

    python benchmarks/train_extraction.py MIXED --news NEWS --predictions OOF_DIR     # cross-validated by site
    python benchmarks/train_extraction.py MIXED --news NEWS --predictions OOF_DIR --split 11  # other folds
    python benchmarks/train_extraction.py MIXED --news NEWS --write                   # on everything, into the package

MIXED and NEWS are folders with index.jsonl and gzipped pages, as benchmarks/extraction.py reads it. Needs lightgbm and
numpy, which the package itself does not. Nothing of a page gets into the data files but single words
that several sites have in common, each with one number.

How a block gets its label: it is article if at least half of its 4-word shingles are in the gold text, or it is a
whole line of it. How words get their weight: the share of text under that word which is article, one vote a site,
as a log-odds ratio; when a page is used for training, its own site has no vote.
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import random
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import lightgbm
import numpy

from aggregator import urls
from aggregator.extract import corrections, evidence, features, headline, judge, trees
from aggregator.extract import lexicon as lexicons
from aggregator.extract import tree as trees_of_pages

PACKAGE = Path(trees.__file__).parent
WORD = re.compile(r"\w+")
PRIOR, PRIOR_SITES = 0.25, 2.0  # a word starts as if two sites had said "a quarter of it is article"
NAME_SITES, NAME_WEIGHT = 4, 0.3  # sites that must use a class word, and its least weight
LINE_SITES, LINE_WEIGHT = 10, 1.0  # the same for words of short lines
TREES = 150
#: What a page of the folders given with --news counts for, beside others. Sites left out, news (shingle / paragraph F1)
#: and mixed (word F1): 1 96.5/91.6 and 95.5; 2 96.8/92.1 and 95.6; 4 96.7/92.3 and 95.5.
NEWS_WEIGHT = 2.0
FIRST = {"learning_rate": 0.07, "num_leaves": 12}
SECOND = {"learning_rate": 0.06, "num_leaves": 12}
COMMON = {
    "objective": "binary", "min_data_in_leaf": 60, "feature_fraction": 0.5, "bagging_fraction": 0.8, "bagging_freq": 1,
    "lambda_l2": 5, "verbose": -1, "num_threads": 1, "seed": 3, "deterministic": True,
}  # fmt: skip


class Example:
    """One page with its labels."""

    def __init__(self, folder: Path, record: dict[str, Any], weight: float) -> None:
        self.record = record
        self.weight = weight
        self.folder = folder.name
        self.site = str(record.get("site") or record["id"])
        markup = gzip.decompress((folder / record["html"]).read_bytes()).decode("utf-8", "replace")
        root = trees_of_pages.parse(markup)
        facts = evidence.read(root)
        blocks, nodes = trees_of_pages.read(root)
        url = record.get("url") or ""
        heads, subheads = ([block.text for block in blocks if block.node.tag == tag] for tag in ("h1", "h2"))
        title = headline.choose(facts, heads, urls.host(url) if url else "", None, subheads)
        self.page = features.Page(blocks, nodes, title, facts.description, facts.body)
        self.live = facts.is_live
        self.labels = label([block.text for block in blocks], record.get("text") or "")
        self.candidates = self.page.candidates() if blocks else []
        self.first: list[
            list[float]
        ] = []  # the first stage's rows, with the lexicon that the site had no vote in

    def prepare(self, own: lexicons.Lexicon) -> None:
        self.first = features.first_rows(self.page, self.candidates, own) if self.candidates else []


def label(texts: list[str], gold: str) -> list[bool]:
    words = WORD.findall(gold.casefold())
    shingles = set(zip(words, words[1:], words[2:], words[3:], strict=False))
    lines = {" ".join(WORD.findall(line.casefold())) for line in gold.split("\n")}
    result = []
    for text in texts:
        own = WORD.findall(text.casefold())
        if " ".join(own) in lines and own:
            result.append(True)
        elif len(own) >= 4:
            quads = list(zip(own, own[1:], own[2:], own[3:], strict=False))
            result.append(sum(quad in shingles for quad in quads) >= len(quads) / 2)
        else:
            result.append(False)
    return result


# ------------------------------------------------------------------------------------- the lexicon

Votes = dict[str, dict[str, list[float]]]  # word -> site -> [article, all]


def votes(examples: list[Example]) -> tuple[Votes, Votes, Votes]:
    near: Votes = {}
    far: Votes = {}
    lines: Votes = {}

    def vote(table: Votes, words: set[str], site: str, weight: float, article: bool) -> None:
        for word in words:
            cell = table.setdefault(word, {}).setdefault(site, [0.0, 0.0])
            cell[0] += weight * article
            cell[1] += weight

    for example in examples:
        for block, article in zip(example.page.blocks, example.labels, strict=True):
            weight = math.sqrt(min(len(block.text), 400))
            node = block.node
            parent = node.parent or node
            vote(
                near,
                {*lexicons.name_words(node.name), *lexicons.name_words(parent.name)},
                example.site,
                weight,
                article,
            )
            above: set[str] = set()
            up = parent.parent
            while up is not None:
                above.update(lexicons.name_words(up.name))
                up = up.parent
            vote(far, above, example.site, weight, article)
            if len(block.text) <= lexicons.MAX_LINE:
                words = lexicons.line_words(features.line_bag(block.text))
                vote(lines, words, example.site, 1.0, article)
    return near, far, lines


class Weights(Mapping[str, float]):
    """The weights of a table of votes, without those of one site."""

    def __init__(self, table: Votes, sites: int, least: float, without: str = "") -> None:
        self.table, self.sites, self.least, self.without = table, sites, least, without
        self.known: dict[str, float | None] = {}

    def weight(self, word: str) -> float | None:
        cells = self.table.get(word)
        if cells is None or len(cells) < self.sites:
            return None
        shares = [article / all_ for site, (article, all_) in cells.items() if site != self.without]
        share = (sum(shares) + PRIOR_SITES * PRIOR) / (len(shares) + PRIOR_SITES)
        return math.log(share / (1 - share)) - math.log(PRIOR / (1 - PRIOR))

    def __getitem__(self, word: str) -> float:
        if word not in self.known:
            value = self.weight(word)
            self.known[word] = value if value is not None and abs(value) >= self.least else None
        value = self.known[word]
        if value is None:
            raise KeyError(word)
        return value

    def __iter__(self) -> Iterator[str]:
        return (word for word in sorted(self.table) if word in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def rounded(self) -> dict[str, float]:
        return {word: round(self[word], 2) for word in self}


def lexicon(tables: tuple[Votes, Votes, Votes], without: str = "") -> lexicons.Lexicon:
    return lexicons.Lexicon(*weights(tables, without))


def weights(tables: tuple[Votes, Votes, Votes], without: str = "") -> tuple[Weights, Weights, Weights]:
    near, far, lines = tables
    return (
        Weights(near, NAME_SITES, NAME_WEIGHT, without),
        Weights(far, NAME_SITES, NAME_WEIGHT, without),
        Weights(lines, LINE_SITES, LINE_WEIGHT, without),
    )


# --------------------------------------------------------------------------------------- the trees


def importance(example: Example, which: list[int]) -> list[float]:
    """Long blocks count for more, and every page for about as much as any other of its kind."""
    blocks = example.page.blocks
    article = sum(len(block.text) for block, is_it in zip(blocks, example.labels, strict=True) if is_it)
    return [
        example.weight * (0.02 + 0.5 * math.sqrt(min(len(blocks[i].text) / max(article, 500), 0.5)))
        for i in which
    ]


def learn(
    rows: list[Any], answers: list[bool], weight: list[float], names: tuple[str, ...], how: dict[str, Any]
) -> Any:
    data = lightgbm.Dataset(
        numpy.array(rows, dtype=numpy.float64), numpy.array(answers), weight=numpy.array(weight)
    )
    return export(lightgbm.train({**COMMON, **how}, data, TREES), names)


def export(booster: Any, names: tuple[str, ...]) -> dict[str, Any]:
    """LightGBM's trees as nested lists, rounded: [feature, threshold, if not greater, if greater]."""

    def node(part: dict[str, Any]) -> Any:
        if "leaf_value" in part:
            return round(part["leaf_value"], 3)
        threshold = float(f"{part['threshold']:.4g}")
        return [names[part["split_feature"]], threshold, node(part["left_child"]), node(part["right_child"])]

    model = booster.dump_model()
    return {"bias": 0.0, "trees": [node(part["tree_structure"]) for part in model["tree_info"]]}


class Model:
    def __init__(self, examples: list[Example], folds: int = 4) -> None:
        """Two stages. The second learns from scores that the first gave to pages it had not seen."""
        self.first = self.stage_one(examples)
        self.score_one = trees.compile_trees(self.first["trees"], features.FIRST)
        part = split(examples, folds, seed=2)
        rows: list[Any] = []
        answers: list[bool] = []
        weight: list[float] = []
        for k in range(folds):
            inner = self.stage_one([e for e in examples if part[e.site] != k])
            scorer = trees.compile_trees(inner["trees"], features.FIRST)
            for example in (e for e in examples if part[e.site] == k and e.candidates):
                first = example.first
                scores = [features.NO] * len(example.page.blocks)
                for i, row in zip(example.candidates, first, strict=True):
                    scores[i] = trees.probability(scorer(*row))
                wanted = [at for at, i in enumerate(example.candidates) if scores[i] >= judge.SURE]
                rows += (
                    features.second_rows(example.page, example.candidates, first, scores, wanted)
                    if wanted
                    else []
                )
                which = [example.candidates[at] for at in wanted]
                answers += [example.labels[i] for i in which]
                weight += importance(example, which)
        self.second = learn(rows, answers, weight, features.SECOND, SECOND)
        self.score_two = trees.compile_trees(self.second["trees"], features.SECOND)

    def stage_one(self, examples: list[Example]) -> dict[str, Any]:
        rows: list[Any] = []
        answers: list[bool] = []
        weight: list[float] = []
        for example in examples:
            rows += example.first
            answers += [example.labels[i] for i in example.candidates]
            weight += importance(example, example.candidates)
        return learn(rows, answers, weight, features.FIRST, FIRST)


def split(examples: list[Example], folds: int, seed: int) -> dict[str, int]:
    sites = sorted({example.site for example in examples})
    random.Random(seed).shuffle(sites)
    return {site: i % folds for i, site in enumerate(sites)}


def cross_validate(examples: list[Example], folds: int, target: Path, seed: int) -> None:
    part = split(examples, folds, seed)
    tables = votes(examples)
    own = {site: lexicon(tables, site) for site in part}
    for example in examples:
        example.prepare(own[example.site])
    target.mkdir(parents=True, exist_ok=True)
    lines: dict[str, list[str]] = {}
    for k in range(folds):
        model = Model([e for e in examples if part[e.site] != k])
        for example in (e for e in examples if part[e.site] == k):
            page = example.page
            scores = (
                judge.score(page, own[example.site], model.score_one, model.score_two) if page.blocks else []
            )
            scores = corrections.with_recipe(page, scores)
            made = judge.decide(page, scores, example.record.get("url"), example.live)
            paragraphs = [block.text for block, keep in zip(page.blocks, made.kept, strict=True) if keep]
            row = {"id": example.record["id"], "text": "\n\n".join(paragraphs), "paragraphs": paragraphs}
            lines.setdefault(example.folder, []).append(json.dumps(row, ensure_ascii=False))
    for folder, rows in lines.items():
        (target / f"{folder}.jsonl").write_text("\n".join(rows) + "\n", "utf-8")


def write(examples: list[Example]) -> None:
    tables = votes(examples)
    own = {example.site: lexicon(tables, example.site) for example in examples}
    for example in examples:
        example.prepare(own[example.site])
    model = Model(examples)
    near, far, lines = weights(tables)
    words = {"near": near.rounded(), "far": far.rounded(), "words": lines.rounded()}
    (PACKAGE / "lexicon.json").write_text(
        json.dumps(words, ensure_ascii=False, indent=0, sort_keys=True) + "\n", "utf-8"
    )
    stages = {"first": model.first, "second": model.second}
    text = (
        json.dumps(stages, separators=(",", ":"))
        .replace('"trees":[', '"trees":[\n')
        .replace("]],[", "]],\n[")
    )
    (PACKAGE / "trees.json").write_text(text + "\n", "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", nargs="*", type=Path)
    parser.add_argument("--news", nargs="*", default=[], type=Path, help="folders whose pages count for more")
    parser.add_argument(
        "--predictions", type=Path, help="folder for out-of-fold predictions, one file a data folder"
    )
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument(
        "--split", type=int, default=1, help="seed of the split into folds, and of the trees (plus 2)"
    )
    parser.add_argument(
        "--write", action="store_true", help="learn from everything and write the package's data"
    )
    options = parser.parse_args()
    folders = [(folder, 1.0) for folder in options.data] + [(folder, NEWS_WEIGHT) for folder in options.news]
    examples = [
        Example(folder, json.loads(line), weight)
        for folder, weight in folders
        for line in (folder / "index.jsonl").open(encoding="utf-8")
    ]
    if options.predictions:
        COMMON["seed"] = options.split + 2
        cross_validate(examples, options.folds, options.predictions, options.split)
    if options.write:
        write(examples)


if __name__ == "__main__":
    main()
