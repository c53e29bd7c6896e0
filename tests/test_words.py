"""One definition of a word: what is equal, what is kept apart, in any script."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator import words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1,650 workers", "1650 workers"),
        ("3.214 Zuschauer", "3,214 Zuschauer"),
        ("seventeen boats", "17 boats"),
        ("siebzehn Boote", "17 Boote"),
        ("0.62 percent", "0.62 pct"),
        ("6.50 points", "6.5 points"),
        ("The company's plan", "company plan"),
        ("organised labour", "organized labor"),
        ("l'incendie", "incendie"),
        ("١٢ شركة", "12 شركة"),
        ("Cafe\u0301 am Markt", "Café am Markt"),
        ("ＡＢＣ 12", "ABC １２"),
        ("Mr. Osei said", "Osei said"),
        ("OSLO (Reuters) - Ships", "OSLO - Ships"),
        ("il don’t", "il don't"),
    ],
)
def test_two_spellings_of_one_thing_are_the_same_words(one: str, other: str) -> None:
    assert words.fingerprint(one) == words.fingerprint(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("won 2-1", "won 1-2"),
        ("3.2 million", "32 million"),
        ("Oslo", "Bergen"),
        ("12.5", "125"),
        ("화재", "화물"),
    ],
)
def test_what_differs_stays_different(one: str, other: str) -> None:
    assert words.fingerprint(one) != words.fingerprint(other)


def flags_of(text: str) -> dict[str, int]:
    found = words.read(text)
    return dict(zip(words.words(text), found.flags.tolist(), strict=True))


def test_a_capital_that_opens_a_sentence_is_no_name() -> None:
    flags = flags_of("Ships left. Boats waited near Bergen.")
    assert not flags["boats"] & words.NAME
    assert flags["bergen"] & words.NAME


def test_a_capital_after_an_abbreviation_is_a_name() -> None:
    assert flags_of("It was Sen. Whitlow who asked")["whitlow"] & words.NAME


def test_a_month_is_a_date_only_with_its_capital() -> None:
    assert flags_of("on 4 May it rained")["may"] & words.DATE
    assert not flags_of("it may rain again")["may"] & words.DATE


def test_a_number_word_is_a_figure() -> None:
    assert flags_of("about twelve ships")["12"] & words.FIGURE


@pytest.mark.parametrize(
    "text", ["서림항 냉동창고 화재", "青石湾大桥今天合龙", "ผ้าไหมลายนาค", "港で火災が発生した"]
)
def test_scripts_without_spaces_are_read_character_by_character(text: str) -> None:
    found = words.read(text)
    assert len(found) >= 6
    assert all(flag & words.CHARACTER for flag in found.flags.tolist())


def test_a_thai_vowel_sign_stays_with_its_letter() -> None:
    assert words.words("ผ้าไหม")[0] == "ผ้"


def test_two_neighbouring_characters_make_a_word() -> None:
    assert set(words.read("火灾现场").ids.tolist()) & set(words.read("发生火灾").ids.tolist()) != set()
    assert words.read("火灾").ids[0] != words.read("火车").ids[0]


def test_arabic_is_read_without_its_vowel_marks() -> None:
    assert words.fingerprint("مُدِيرٌ") == words.fingerprint("مدير")


def test_words_know_their_paragraph() -> None:
    paragraph = words.read("One ship left.\n\nTwo came back.").paragraph.tolist()
    assert paragraph[0] < paragraph[-1]


def test_located_words_are_where_the_text_has_them() -> None:
    text = "OSLO (AP) — “Twelve ships,” said Mr. Berg, 44."
    found, spans = words.locate(text)
    assert len(found) == len(spans)
    assert [text[a:b] for a, b in spans] == ["OSLO", "Twelve", "ships", "said", "Berg", "44."]


@pytest.mark.parametrize(
    "line",
    [
        "(Reporting by Ada Moen; Editing by Per Lund)",
        "Associated Press writer Ada Moen contributed to this report.",
        "Copyright 2026 Northern Wire. All rights reserved.",
        "By Ada Moen",
        "Alle Rechte vorbehalten.",
    ],
)
def test_sign_offs_and_bylines_are_no_part_of_a_text(line: str) -> None:
    text = "Two ships left Oslo.\n\nNo one was hurt."
    assert words.without_sign_offs(f"{text}\n\n{line}").strip() == text


@pytest.mark.parametrize(
    "line", ["By noon the harbour was empty.", "She contributed to this report's funding last year"]
)
def test_a_sentence_that_begins_like_one_stays(line: str) -> None:
    assert line in words.without_sign_offs(line)


def test_a_text_without_words_has_none() -> None:
    assert words.count("—…\n\n") == 0
    assert words.fingerprint("—…\n\n") == 0
    assert len(words.read("")) == 0


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    found, spans = words.locate(text)
    assert len(found.ids) == len(found.flags) == len(found.paragraph) == len(spans)
    assert len(words.words(text)) == len(found)
    assert (found.ids == words.read(text).ids).all()


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=40))
def test_reading_forgets_nothing_when_its_memory_is_full(text: str) -> None:
    before = words.read(text).ids.tolist()
    words._codes.clear()
    assert words.read(text).ids.tolist() == before


def test_words_are_counted_in_any_script() -> None:
    assert words.count("Two ships left.") == 3
    assert words.count("大桥合龙") == 4


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ещё её", "еще ее"),
        ("İSTANBUL ISPARTA", "istanbul ısparta"),
        ("ΑΘΗΝΑ ΛΟΓΟΣ", "Αθήνα λόγος"),
        ("یک کیف", "يك كيف"),
        ("१,१८० करोड़", "1,180 करोड़"),
        ("गया। दी", "गया । दी"),
    ],
)
def test_letters_and_figures_that_are_written_in_two_ways_are_the_same(one: str, other: str) -> None:
    assert words.words(one) == words.words(other)


def test_a_danda_ends_a_sentence_and_is_no_letter() -> None:
    assert words.words("फैसला लिया गया।") == ["फैसला", "लिया", "गया"]


@pytest.mark.parametrize("run", ["," * 200_000, " ," * 100_000, " " * 200_000])
def test_a_long_run_of_commas_and_blanks_is_passed_over(run: str) -> None:
    assert words.count(f"before{run}after") == 2  # a tenth of it took 14 s
