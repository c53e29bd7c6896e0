"""Site memory: what repeats on other pages of a site goes, what a newsroom uses again stays."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aggregator import sites
from aggregator.model import Block, Document, Removed, SiteMemory

NOTE = "Our reporters may own shares of companies they write about."


def document(number: int, *lines: str, path: str = "div>p") -> Document:
    own = [
        f"Paragraph {i} of page {number}, long enough to be told from all the other ones of the site."
        for i in range(4)
    ]
    texts = [*own, *lines]
    return Document(
        url=f"https://x.example/{number}",
        title="",
        paragraphs=tuple(texts),
        blocks=tuple(Block(hash(text), path, True, text) for text in texts),
    )


def memory(*documents: Document) -> SiteMemory:
    return sites.merge(SiteMemory("x.example"), documents)


def test_a_line_of_two_other_pages_goes_with_its_reason() -> None:
    pages = [document(i, NOTE) for i in range(3)]
    stripped = sites.strip(pages[0], memory(*pages))
    assert NOTE not in stripped.paragraphs
    assert stripped.removed == (Removed(NOTE, sites.REASON, 4),)


def test_one_other_page_is_not_enough() -> None:
    pages = [document(i, NOTE) for i in range(2)]
    assert sites.strip(pages[0], memory(*pages)) == pages[0]


def test_the_same_line_twice_on_one_page_is_one_page() -> None:
    pages = [document(0, NOTE, NOTE), document(1, NOTE)]
    assert memory(*pages).blocks[hash(NOTE)] == 2


def test_a_story_published_under_several_addresses_stays() -> None:
    pages = [document(7) for _ in range(5)]
    assert sites.strip(pages[0], memory(*pages)) == pages[0]


def test_background_that_follow_ups_share_stays() -> None:
    background = "The wreck was found two years ago, when divers looked for a lost anchor in the mud. " * 3
    pages = [document(i, background) for i in range(3)] + [document(i) for i in range(3, 40)]
    assert background in sites.strip(pages[0], memory(*pages)).paragraphs


def test_a_long_notice_of_most_pages_goes() -> None:
    notice = (
        "This newspaper is supported by its readers, who pay for the work of its reporters every month. " * 3
    )
    pages = [document(i, notice) for i in range(12)]
    assert notice not in sites.strip(pages[0], memory(*pages)).paragraphs


def test_a_formula_heading_before_text_of_its_own_stays() -> None:
    def recipe(i: int) -> Document:
        page = document(i)
        head = Block(hash("Method"), "div>h2", True, "Method")
        return Document(page.url, "", ("Method", *page.paragraphs), blocks=(head, *page.blocks))

    pages = [recipe(i) for i in range(5)]
    assert sites.strip(pages[0], memory(*pages)).paragraphs[0] == "Method"


def test_what_is_removed_later_moves_up() -> None:
    pages = [document(i, NOTE) for i in range(3)]
    page = Document(
        pages[0].url, "", (NOTE, *pages[0].paragraphs[:4]), removed=(Removed("Share", "share", 3),),
        blocks=(pages[0].blocks[4], *pages[0].blocks[:4]),
    )  # fmt: skip
    stripped = sites.strip(page, memory(page, *pages[1:]))
    assert [(item.text, item.position) for item in stripped.removed] == [(NOTE, 0), ("Share", 2)]


def test_the_blocks_tell_what_was_kept_in_the_end() -> None:
    pages = [document(i, NOTE) for i in range(3)]
    stripped = sites.strip(pages[0], memory(*pages))
    assert [block.text for block in stripped.blocks if block.kept] == list(stripped.paragraphs)


def test_learning_counts_paths() -> None:
    page = document(0)
    assert sites.learn(page).paths == {"div>p": (4, 0)}


@given(st.permutations(range(6)))
def test_the_order_of_pages_does_not_matter(order: list[int]) -> None:
    pages = [document(i, NOTE) for i in range(6)]
    assert memory(*(pages[i] for i in order)) == memory(*pages)


def test_merging_in_two_rounds_is_merging_in_one() -> None:
    pages = [document(i, NOTE) for i in range(6)]
    assert sites.merge(memory(*pages[:3]), pages[3:]) == memory(*pages)
