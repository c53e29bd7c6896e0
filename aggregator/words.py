"""One definition of a word, for every language: what deduplication and site memory count and compare.

Theory of operation. One regular expression cuts a text into words, figures and a few marks. Each distinct
token is normalised once (case, digits, number words, spelling, possessives) and remembered as one integer: 48
bits of hash and 16 bits that say what kind of token it is. Reading a text is then one dictionary look-up per
token.

Scripts that do not put spaces between words (Chinese, Japanese, Thai, Lao, Khmer, Burmese), and Korean, whose
particles stick to the nouns, are cut into characters with their marks, and two neighbours make a word: the
unit that text retrieval in these languages uses.

Known exceptions. Names are told by their capital, so scripts without case have none, and German has too many.
A capital that opens a sentence does not count. Number words are read one by one: "twenty-one" is two figures.
"""

from __future__ import annotations

import array
import functools
import hashlib
import re
import unicodedata
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# What a token is: the low 16 bits of its code.
FIGURE = 1  # a number, as digits or as a word
NAME = 2  # starts with a capital
DATE = 4  # a weekday or month
DROP = 8  # an article, a title of courtesy, an agency's name: desks add and drop them at will
FUNCTION = 16  # too common to tell two stories apart
SENTENCE = 32  # mark: a sentence ended
QUOTE = 64  # mark: a quotation mark
PARAGRAPH = 128  # mark: line break
CHARACTER = 256  # a character of a script without spaces
SHORT = 512  # up to three letters: a full stop after it may belong to an abbreviation ("Sen.", "U.S.")
MARK = SENTENCE | QUOTE | PARAGRAPH

#: Scripts cut into characters; Thai, Lao, Khmer and Burmese letters take their marks along.
_SPACELESS = (
    "\u0e01-\u0e30\u0e32\u0e33\u0e40-\u0e46\u0e81-\u0eb0\u0eb2\u0eb3\u0ebd-\u0ec6\u1000-\u102a\u1780-\u17b3"
    "\u3041-\u309f\u30a1-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff"
)
_SPACELESS_MARKS = (
    "\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ecd\u102b-\u103e\u17b4-\u17d3\u3099\u309a"
)
#: Letters with their combining marks, which Python's \w does not know: Latin to Arabic, and the Indic
#: scripts, of which each has 128 places, ten of them digits (and Devanagari's full stops before those).
_INDIC = "\u0900-\u0963" + "".join(f"{chr(a)}-{chr(a + 117)}" for a in range(0x0970, 0x0DF0, 128))
_LETTERS = (
    "A-Za-z\u00aa\u00b5\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02af\u0300-\u036f\u0370-\u052f\u05d0-\u05ea"
    f"\u0620-\u065f\u066e-\u06d3{_INDIC}\u0df0-\u0dff"
)
_APOSTROPHES = "'\u2019\u02bc"
_QUOTES = '"\u201c\u201d\u201e\u00ab\u00bb\u300c\u300d\u300e\u300f'
_STOPS = ".!?\u2026\u3002\uff01\uff1f\u0964\u061f"
#: The leading blanks and commas are part of a match so that the engine does not try every alternative on
#: them: 45 us for 300 words instead of 72. Only a whole run of them is: 20,000 commas took 14 s.
_TOKEN = re.compile(
    rf"(?:(?<![ ,])[ ,]+)?([{_LETTERS}{_APOSTROPHES}]+|[{_STOPS}{_QUOTES}\n%$€£¥]|\d[\d.,:\u066b\u066c]*"
    rf"|[{_SPACELESS}][{_SPACELESS_MARKS}]*|[^\W\d_{_SPACELESS}]+)"
)
_SPACELESS_START = re.compile(f"[{_SPACELESS}]")

# ---------------------------------------------------------------------------------------------- data


def _set(lines: str) -> frozenset[str]:
    return frozenset(lines.split())


def _table(lines: str) -> dict[str, str]:
    """Every word of a line stands for the line's first one."""
    return {word: line.split()[0] for line in lines.strip().splitlines() for word in line.split()}


#: Number words by value, in the languages of the big agencies. "One" is left out: it is mostly no figure.
_NUMBERS = _table("""
2 two zwei deux dos due dois два две
3 three drei trois tres tre três три
4 four vier quatre cuatro quattro quatro четыре
5 five fünf cinq cinco cinque пять
6 six sechs seis sei шесть
7 seven sieben sept siete sette sete семь
8 eight acht huit ocho otto oito восемь
9 nine neun neuf nueve nove девять
10 ten zehn dix diez dieci dez десять
11 eleven elf onze once undici одиннадцать
12 twelve zwölf douze doce dodici doze двенадцать
13 thirteen dreizehn treize trece
14 fourteen vierzehn quatorze catorce
15 fifteen fünfzehn quinze quince
16 sixteen sechzehn seize
17 seventeen siebzehn
18 eighteen achtzehn
19 nineteen neunzehn
20 twenty zwanzig vingt veinte venti vinte двадцать
30 thirty dreißig trente treinta trenta trinta тридцать
40 forty vierzig quarante cuarenta quaranta quarenta сорок
50 fifty fünfzig cinquante cincuenta cinquanta пятьдесят
60 sixty sechzig soixante sesenta sessanta
70 seventy siebzig setenta settanta
80 eighty achtzig ochenta ottanta
90 ninety neunzig noventa novanta
hundred hundert ciento cento сто
thousand tausend mille mil mila тысяч тысячи тысяча
million millions mln mio millionen millones milhões milioni миллион миллиона миллионов млн
billion billions bln bn mrd milliarde milliarden milliard milliards миллиард миллиарда миллиардов млрд
trillion trillions trn
% pct percent cent prozent pourcent процент процента процентов
""")

#: Weekdays and months by their English name, abbreviations included.
_DATES = _table("""
monday mon montag lundi lunes lunedì понедельник
tuesday tue tues dienstag mardi martes martedì вторник
wednesday wed mittwoch mercredi miércoles mercoledì среду
thursday thu thurs donnerstag jeudi jueves giovedì четверг
friday fri freitag vendredi viernes venerdì пятницу
saturday sat samstag sonnabend samedi sábado sabato субботу
sunday sun sonntag dimanche domingo domenica воскресенье
january jan januar janvier enero gennaio janeiro января
february feb februar février febrero febbraio fevereiro февраля
march mar märz mars marzo março марта
april apr avril abril aprile апреля
may mai mayo maggio maio мая
june jun juni juin junio giugno junho июня
july jul juli juillet julio luglio julho июля
august aug août agosto августа
september sep sept septembre septiembre settembre setembro сентября
october oct oktober octobre octubre ottobre outubro октября
november nov novembre noviembre novembro ноября
december dec dez dezember décembre diciembre dicembre dezembro декабря
""")
#: Languages that write these small, where they are no other word. The rest, like "may" and "mar", need a
#: capital.
_SMALL_DATES = _set(""" lundi mardi mercredi jeudi vendredi samedi dimanche lunes martes miércoles jueves
viernes sábado domingo lunedì martedì mercoledì giovedì venerdì sabato domenica janvier février avril juin
juillet août septembre octobre novembre décembre enero febrero abril mayo junio julio agosto septiembre
octubre noviembre diciembre января февраля марта апреля мая июня июля августа сентября октября ноября декабря
понедельник вторник среду четверг пятницу субботу воскресенье """)

#: Agencies, as they sign. Desks put them in and take them out, so they are no part of a text.
AGENCIES = _set(""" ap afp reuters dpa upi pa efe ansa apa ani pti ians yna yonhap kyodo jiji xinhua tass
interfax anadolu bernama belga ritzau ntb tt stt anp lusa mti pap ctk sda keystone-ats aap nzpa jta cns
newswire рейтер тасс интерфакс рбк رويترز """)

#: Articles and titles of courtesy, and the "on" that American desks drop before weekdays.
_DROPPED = _set(""" the a an on mr mrs ms dr der die das den dem des ein eine einen einem einer eines le la
les un une du el los las una il lo gli o os as um uma herr frau m mme señor señora """)

_FUNCTION_WORDS = _set(""" about after all also and any are as at be because been before being between but by
can could did do does during each for from had has have he her here him his how i if in into is it its just
last like may more most much new no not now of off one only or other our out over said say says she should so
some such than that their them then there these they this those to told under up us was we were what when
where which while who will with would you your year years day days people according including since still
through until against both many very week month als am auch auf aus bei bis dass durch er es für hat haben
hatte ich im ist mit nach nicht noch nur oder seit sei sich sie sind über und unter vom von vor war waren
wegen wenn werden wie wird wir wurde wurden zu zum zur à au aux avec ce ces cette dans de elle en est et été
être ils je leur mais ne nous ont ou où par pas plus pour qu que qui sa se ses son sont sur était al ante como
con cuando del donde e entre era esta este fue ha han hay más muy no para pero por si sin sobre su sus también
tras y ya di da per non che в во за и из к как на не но об от по при с со у что это до для его ее их был была
были было он она они также في من على إلى عن أن إن التي الذي هذا هذه ما لا كان كانت قد كما بعد قبل حتى مع ثم أو
بين """)

#: How the lines begin, and end, in which agencies sign and forbid: under every text, and no part of one.
_SIGN_OFF_STARTS = (
    "reporting by", "additional reporting", "writing by", "editing by", "compiled by", "copyright", "©",
    "no part of this", "redaktion:", "alle rechte vorbehalten", "tous droits réservés",
    "todos los derechos", "tutti i diritti", "все права защищены", "저작권자", "무단 전재", "無断転載", "版权所有",
    "สงวนลิขสิทธิ์", "جميع الحقوق محفوظة",
)  # fmt: skip
_SIGN_OFF_ENDS = (
    "contributed to this report", "contributed to this story", "contributed reporting", "rights reserved",
    "rechte vorbehalten", "droits réservés", "derechos reservados", "diritti riservati", "права защищены",
    "재배포 금지", "禁止转载",
)  # fmt: skip
#: Longest line that can be one of them, and longest byline, in characters.
_SIGN_OFF = 300
_BYLINE = 60

#: British endings and their American ones, for words of five letters and more.
_SPELLINGS = (
    (re.compile(r"is(e|ed|es|ing|ation|er|ers)$"), r"iz\1"),
    (re.compile(r"([bcdhlnpv]o)ur(s|ed|ing|able|ful|ite|hood)?$"), r"\1r\2"),
    (re.compile(r"tre(s)?$"), r"ter\1"),
    (re.compile(r"ll(ed|ing|er|ers)$"), r"l\1"),
    (re.compile(r"ence$"), "ense"),
    (re.compile(r"ogue(s)?$"), r"og\1"),
    (re.compile(r"programmes?$"), "program"),
)
#: What these end in, to pass over most words quickly.
_SPELLING_ENDS = (
    "ise", "ised", "ises", "ising", "isation", "iser", "isers", "our", "ours", "oured", "ouring", "ourable",
    "ourful", "ourite", "ourhood", "tre", "tres", "lled", "lling", "ller", "llers", "ence", "ogue", "ogues",
    "programme", "programmes",
)  # fmt: skip
_POSSESSIVE = re.compile(r"'s?$")
_ELISION = re.compile(r"^(?:[cdjlmnst]|qu|all|dell|nell|sull)'(?=\w\w)", re.IGNORECASE)
_GROUPED = re.compile(r"(\d{1,3}(?:([.,\u066c])\d{3})(?:\2\d{3})*)(?:[.,\u066b](\d{1,2}))?$")
_ARABIC_MARKS = re.compile("[\u064b-\u065f\u0640]")
_ARABIC_FORMS = str.maketrans("أإآىةیک", "ااايهيك")  # Persian keyboards have letters of their own for two
#: Letters that are often written as others are.
_LETTER_FORMS = str.maketrans({"ё": "е", "ς": "σ", "ı": "i", "\u0307": ""})


# ---------------------------------------------------------------------------------------- one token


def _figure(token: str) -> str:
    """Digits in one form: ASCII, no thousands separators, a point for decimals, no zeros at their end."""
    token = "".join(str(unicodedata.digit(c, 0)) if c.isdigit() else c for c in token)
    grouped = _GROUPED.fullmatch(token)
    if grouped:
        token = re.sub(r"\D", "", grouped[1]) + (f".{grouped[3]}" if grouped[3] else "")
    else:
        token = token.replace(",", ".").replace("\u066b", ".")
    if token.count(".") == 1:
        token = token.rstrip("0").rstrip(".")
    return token


def normalise(token: str) -> tuple[str, int]:
    """The form in which two spellings of one token are equal, and its flags."""
    first = token[0]
    if first.isdigit():
        return _figure(token.rstrip(".,:\u066b\u066c")), FIGURE
    if first == "\n":
        return "\n", PARAGRAPH
    if first in _STOPS:
        return ".", SENTENCE
    if first in _QUOTES:
        return '"', QUOTE
    if first in "%$€£¥":
        return first, FUNCTION
    word = token if token.isascii() else unicodedata.normalize("NFKC", token)
    if _SPACELESS_START.match(token):
        return word, CHARACTER
    if not word.isalpha():
        word = re.sub(f"[{_APOSTROPHES}]", "'", word).strip("'")
        word = _POSSESSIVE.sub("", _ELISION.sub("", word))
    capital = word[:1].isupper()
    word = word.lower()
    if not word.isascii():
        word = word.translate(_LETTER_FORMS)
    if word in AGENCIES or word in _DROPPED or not word:
        return word, DROP
    short = SHORT if len(word) < 4 else 0
    if word in _DATES and (word in _SMALL_DATES or (capital and len(word) > 2)):
        return _DATES[word], DATE | FIGURE | short
    if word in _NUMBERS:
        number = _NUMBERS[word]
        return number, FIGURE if number[0].isdigit() else FUNCTION
    if word in _FUNCTION_WORDS:
        return word, FUNCTION
    if word.isascii():
        if len(word) > 4 and word.endswith(_SPELLING_ENDS):
            for british, american in _SPELLINGS:
                word = british.sub(american, word)
    elif "\u0600" <= first <= "\u06ff":
        word = _ARABIC_MARKS.sub("", word).translate(_ARABIC_FORMS)
    elif "\u0370" <= first <= "\u03ff":  # Greek, which drops its accents where it writes capitals
        word = "".join(c for c in unicodedata.normalize("NFD", word) if not unicodedata.combining(c))
    return word, short | (NAME if capital else 0)


def hash64(data: bytes) -> int:
    """A hash that is the same on every machine and in every run: it is stored."""
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little")


class _Codes(dict[str, int]):
    """Token -> code, filled on demand: the 640,000 words of 2,000 stories are 29,000 different tokens."""

    #: Forgotten and begun again beyond this, with all that was made from it: 200,000 entries are about 30 MB.
    LIMIT = 200_000

    def __missing__(self, token: str) -> int:
        word, flags = normalise(token)
        if len(self) >= self.LIMIT:
            for memory in (self, _chunks, _spellings):
                memory.clear()
            codes.cache_clear()
        code = hash64(word.encode("utf-8", "surrogatepass")) >> 16 << 16 | flags
        self[token] = code
        if flags & (FIGURE | NAME):
            _spellings[code >> 16] = word
        return code


class _Chunks(dict[str, bytes]):
    """What stands between two blanks, a word with its marks, -> its tokens' codes, as 64-bit integers.

    Looking up the chunks of a text and joining what they stand for is five times as fast as finding its tokens.
    """

    #: Longer ones are mostly phrases of a script without spaces, or addresses: they do not come again.
    LONGEST = 24
    LIMIT = 200_000

    def __missing__(self, chunk: str) -> bytes:
        packed = array.array("Q", map(_codes.__getitem__, _TOKEN.findall(chunk))).tobytes()
        if len(chunk) <= self.LONGEST:
            if len(self) >= self.LIMIT:
                self.clear()
            self[chunk] = packed
        return packed


_codes = _Codes()
_chunks = _Chunks()
_spellings: dict[int, str] = {}


def spelling(word_id: int) -> str:
    """The word behind an id, for figures and names met not too long ago; else ''."""
    return _spellings.get(word_id, "")


# ---------------------------------------------------------------------------------------- one text

#: Texts whose tokens are remembered: those of a batch are counted, chosen among, counted again and compared.
REMEMBERED = 1_024


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """A text as arrays of one length, in reading order, without marks and dropped words."""

    ids: NDArray[np.uint64]
    flags: NDArray[np.uint16]
    paragraph: NDArray[np.int32]  # rises by one or more from paragraph to paragraph

    def __len__(self) -> int:
        return len(self.ids)


@functools.lru_cache(maxsize=REMEMBERED)
def codes(text: str) -> NDArray[np.uint64]:
    """Every token's code, marks included: 48 bits of hash, then 16 bits of flags."""
    chunks = text.replace("\n", " \n ").split(" ")
    return np.frombuffer(b"".join(map(_chunks.__getitem__, chunks)), np.uint64)


def read(text: str) -> Words:
    """The words of a text, with what is known of each."""
    return _words(codes(text))[0]


def ids_of(text: str, without: int) -> list[int]:
    """The ids of the words that have none of these flags, for headlines: of ten words, lists are three times as fast
    as arrays."""
    found = codes(text).tolist()
    if any(code & CHARACTER for code in found):
        words = read(text)
        ids: list[int] = words.ids[(words.flags & without) == 0].tolist()
        return ids
    return [code >> 16 for code in found if not code & (MARK | DROP | without)]


def without_sign_offs(text: str) -> str:
    """A text without bylines, sign-offs and copyright lines: what desks put around the same story differs."""
    lines = text.split("\n")
    kept = [line for line in lines if not _is_sign_off(line)]
    return text if len(kept) == len(lines) else "\n".join(kept)


def _is_sign_off(line: str) -> bool:
    if not 0 < len(line) <= _SIGN_OFF:
        return False
    start = line[:40].strip(" \t(*-–—[").lower()
    if start.startswith(_SIGN_OFF_STARTS) or line[-40:].rstrip(" .)]*").lower().endswith(_SIGN_OFF_ENDS):
        return True
    return start.startswith("by ") and len(line) <= _BYLINE and line.rstrip()[-1] not in '.!?"”'


def locate(text: str) -> tuple[Words, list[tuple[int, int]]]:
    """The same as `read`, with each word's (start, end) in the text: for showing, not for bulk."""
    tokens = list(_TOKEN.finditer(text))
    found, kept = _words(np.fromiter((_codes[t[1]] for t in tokens), np.uint64, len(tokens)))
    return found, [tokens[i].span(1) for i in np.flatnonzero(kept).tolist()]


def _words(packed: NDArray[np.uint64]) -> tuple[Words, NDArray[np.bool_]]:
    flags = packed.astype(np.uint16)  # the low 16 bits
    kept = (flags & (MARK | DROP)) == 0
    # A capital after a mark opens a sentence and says nothing, unless the mark is an abbreviation's full stop.
    opens = (flags & MARK) != 0
    opens[1:] &= ((flags[1:] & SENTENCE) == 0) | ((flags[:-1] & SHORT) == 0)
    flags[1:][opens[:-1]] &= 0xFFFF ^ NAME
    flags[:1] &= 0xFFFF ^ NAME
    paragraph = ((flags & PARAGRAPH) != 0).cumsum(dtype=np.int32)
    ids = packed[kept] >> np.uint64(16)
    flags = flags[kept]
    character = (flags & CHARACTER) != 0
    if character.any():
        pair = np.flatnonzero(character[:-1] & character[1:])
        ids[pair] = (ids[pair] * np.uint64(0x9E3779B97F4A7C15) + ids[pair + 1]) >> np.uint64(16)
    return Words(ids, flags, paragraph[kept]), kept


def words(text: str) -> list[str]:
    """The normalised words of a text, as strings, without marks and dropped words."""
    found = (normalise(token) for token in _TOKEN.findall(text))
    return [word for word, flags in found if not flags & (MARK | DROP)]


def count(text: str) -> int:
    """How many words a text has; a character of a script without spaces counts as one."""
    return int(np.count_nonzero((codes(text) & np.uint64(MARK)) == 0))


def fingerprint(text: str) -> int:
    """A signed 64-bit hash of a text's words: equal for two spellings of a line. 0 for one without words."""
    ids = read(text).ids
    return hash64(ids.tobytes()) - 2**63 if len(ids) else 0
