"""Is this line a label of furniture? Lookups over the data of `furniture`, a few microseconds each."""

from __future__ import annotations

import functools
import re
import unicodedata

from .. import furniture

#: "-1.6 C", "12°", "23 ℃": what a weather widget says, and hardly anything else in a short line.
TEMPERATURE = re.compile(r"(?<!\w)[-−–+]?\d{1,3}(?:[.,]\d)?\s?(?:[°º˚]\s?[CFcf]?|℃|℉|[CF])(?!\w)")
#: What says in a line with a date that it is the update's, and what that it is the publication's.
UPDATED = re.compile(
    r"updat|modif|aktualis|aktualiz|mis à jour|actualiz|actualitz|atualiz|aggiorn|bijgewerkt|oppdatert|uppdater|"
    r"opdater|muokattu|päivite|frissít|更新|수정|güncel|обновл|оновлен|обновен|актуализ|ενημέρωση|تحديث|به‌روز|بروزرسانی|עודכן|"
    r"अपडेट|อัปเดต|cập nhật|diperbarui",
    re.I,
)
PUBLISHED = re.compile(
    r"\bpubli(?!c\b)|pubblicat|posted|veröffentl|erschien|opublik|gepubl|julkais|zveřejn|közzé|megjelen|입력|등록|게시|公開|"
    r"发布|發布|發佈|发表|發表|配信|投稿|fecha|yayın|опублик|опублік|\bпублик|δημοσ|نشر|منتشر|انتشار|פורסם|प्रकाशित|เผยแพร่|"
    r"đăng|xuất bản|diterbitkan|created",
    re.I,
)
_TRIM = " \t\n:：·•|/\\-–—»«›‹>→←↓…。.!?()[]{}*#+\"'“”„‘’【】（）［］「」▶►■◆▲▼☰×،؛؟·<>"
_COLONS = str.maketrans(dict.fromkeys("：|/=＝】］]", ":"))
_SPACES = str.maketrans(dict.fromkeys((c for c in _TRIM if c not in "-'"), " "))
MAX_LABEL = 60  # characters of a line that can be a label
MAX_PHRASE = 400  # characters of a line that a phrase may give away


def fold(text: str) -> str:
    """Lower case without accents: "ΔΙΑΒΑΣΤΕ ΑΚΟΜΗ" and "Διαβάστε ακόμη", "İlgili" and "ilgili" are one."""
    low = text.casefold()
    if low.isascii():
        return low
    letters = unicodedata.normalize("NFKD", low.replace("ı", "i"))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


_LABELS: dict[str, str] = {
    fold(label): kind
    for kind, languages in furniture.LABELS.items()
    for labels in languages.values()
    for label in labels
}
_CAPTIONS = tuple(fold(begin) for begins in furniture.CAPTIONS.values() for begin in begins)
_RECIPES = frozenset(fold(heading) for headings in furniture.RECIPES.values() for heading in headings)
_CALLS, _CALLS_HOLD = (
    tuple(fold(call) for calls in furniture.CALLS[where].values() for call in calls)
    for where in ("begins", "holds")
)
_HOSTED = {kind: re.compile("|".join(lines), re.I) for kind, lines in furniture.HOSTED.items()}
_PICTURE = re.compile(
    rf"(?:{'|'.join(map(re.escape, (text for text, kind in _LABELS.items() if kind == 'caption')))})(?![a-z])"
)
_OPEN, _CLOSE = "([（［【<〔", ")]）］】>〕"
_FIRST_WORDS: dict[str, list[tuple[str, str]]] = {}
_UNSPACED: list[tuple[str, str]] = []  # phrases in scripts written without spaces
for _kind, _languages in furniture.PHRASES.items():
    for _language, _phrases in _languages.items():
        for _phrase in _phrases:
            if _language in ("ja", "zh", "ko"):
                _UNSPACED.append((_phrase, _kind))
            else:
                _FIRST_WORDS.setdefault(_phrase.split()[0].strip(_TRIM), []).append((_phrase, _kind))


@functools.lru_cache(maxsize=4096)
def label(text: str) -> str | None:
    """The kind of furniture this whole line names ("Latest news" -> related), or None."""
    if len(text) > MAX_LABEL:
        return None
    return _LABELS.get(fold(text).strip(_TRIM))


def prefix(text: str) -> str | None:
    """The kind of furniture the words before a colon, bar or bracket name ("Photo: X" -> caption), or None."""
    head, colon, _ = text[: MAX_LABEL + 1].lstrip(_TRIM).translate(_COLONS).partition(":")
    return _LABELS.get(fold(head).strip(_TRIM)) if colon else None


def is_credit(text: str) -> bool:
    """Whether a line begins as one that says whose a picture is: "Photo by Ann Lee", or in brackets "(Photo AFP)"."""
    begin = fold(text[: MAX_LABEL + 1].lstrip(_TRIM))
    return begin.startswith(_CAPTIONS) or (
        text[0] in _OPEN and text.rstrip(".。")[-1:] in _CLOSE and _PICTURE.match(begin) is not None
    )


def is_of_recipe(text: str) -> bool:
    """Whether a heading stands over ingredients or steps."""
    return len(text) <= MAX_LABEL and fold(text).strip(_TRIM) in _RECIPES


def is_placeholder(text: str) -> bool:
    """Whether a text is "Lorem ipsum", blurred where only subscribers would read on."""
    words = text[:100].casefold().replace(",", " ").replace(".", " ").split()[:8]
    return len(words) == 8 and sum(map(furniture.PLACEHOLDER.__contains__, words)) >= 6


def is_call(text: str) -> bool:
    """Whether a line calls on its reader to subscribe or to follow, and does nothing else."""
    low = fold(text.lstrip(_TRIM).replace("’", "'"))
    return low.startswith(_CALLS) or any(call in low for call in _CALLS_HOLD)


def hosted(text: str) -> str | None:
    """The kind of a line that a host of feeds puts around an entry's text ("5 posts - 3 participants"), or None."""
    if len(text) > MAX_PHRASE:
        return None
    line = text.strip().rstrip(".")
    return next((kind for kind, lines in _HOSTED.items() if lines.fullmatch(line)), None)


@functools.lru_cache(maxsize=2048)
def phrases(text: str) -> frozenset[str]:
    """The kinds of furniture whose phrases stand somewhere in this line; empty for long texts."""
    if len(text) > MAX_PHRASE:
        return frozenset()
    low = text.casefold().replace("’", "'")
    kinds = set()
    for word in _FIRST_WORDS.keys() & low.translate(_SPACES).split():
        for phrase, kind in _FIRST_WORDS[word]:
            if phrase in low:
                kinds.add(kind)
    if not low.isascii():
        for phrase, kind in _UNSPACED:
            if phrase in low:
                kinds.add(kind)
    return frozenset(kinds)
