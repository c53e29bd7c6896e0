"""Which news agency a text is credited to. Data, and the shape of a dateline.

A dateline names its agency in brackets, whatever its name: "HALIFAX (Northern Press) - ". A byline or a credit
line counts only when it names an agency of the list below.
"""

from __future__ import annotations

import re

#: How agencies sign, lower case -> how they are shown.
AGENCIES = {
    "aap": "AAP",
    "afp": "AFP",
    "agence france-presse": "AFP",
    "agencia efe": "EFE",
    "anadolu": "Anadolu",
    "anadolu agency": "Anadolu",
    "ani": "ANI",
    "anp": "ANP",
    "ansa": "ANSA",
    "ap": "AP",
    "apa": "APA",
    "associated press": "AP",
    "belga": "Belga",
    "bloomberg": "Bloomberg",
    "canadian press": "The Canadian Press",
    "cna": "CNA",
    "dpa": "dpa",
    "efe": "EFE",
    "europa press": "Europa Press",
    "ians": "IANS",
    "interfax": "Interfax",
    "jiji": "Jiji",
    "keystone-sda": "Keystone-SDA",
    "kyodo": "Kyodo",
    "kyodo news": "Kyodo",
    "lusa": "Lusa",
    "ntb": "NTB",
    "pa": "PA Media",
    "pa media": "PA Media",
    "press association": "PA Media",
    "pti": "PTI",
    "reuters": "Reuters",
    "ritzau": "Ritzau",
    "sda": "Keystone-SDA",
    "sid": "SID",
    "stt": "STT",
    "tass": "TASS",
    "the associated press": "AP",
    "the canadian press": "The Canadian Press",
    "tt": "TT",
    "upi": "UPI",
    "xinhua": "Xinhua",
    "yonhap": "Yonhap",
    "共同": "Kyodo",
    "新华社": "Xinhua",
    "時事": "Jiji",
    "연합뉴스": "Yonhap",
}

#: Where agencies publish themselves, by registrable domain.
SITES = frozenset({
    "aa.com.tr", "aap.com.au", "afp.com", "aninews.in", "anp.nl", "ansa.it", "apa.at", "apnews.com",
    "belganewsagency.eu", "bloomberg.com", "cna.com.tw", "dpa.com", "efe.com", "europapress.es", "focustaiwan.tw",
    "ians.in", "interfax.com", "interfax.ru", "jiji.com", "keystone-sda.ch", "kyodonews.net", "lusa.pt", "news.cn",
    "ntb.no", "pa.media", "ptinews.com", "reuters.com", "ritzau.dk", "sid.de", "stt.fi", "tass.com", "tass.ru",
    "thecanadianpress.com", "tt.se", "upi.com", "xinhuanet.com", "yna.co.kr", "yonhapnews.co.kr",
})  # fmt: skip

#: "CITY, Country (Agency) - ", within the first characters of a text; the place starts with a capital.
_DATELINE = re.compile(
    r"^\W{0,2}[A-Z\u00c0-\u00de][^()\n]{1,60}?\s*\(([^()\d\n]{2,32})\)\s*(?:[-\u2013\u2014:]|$)"
)
_LEADING = re.compile(r"^\W{0,3}[(\[]?(?P<name>[^()\[\]\n]{2,24}?)[)\]]?\s*[-\u2013\u2014:]\s")
_SEPARATORS = re.compile(r"\s*(?:[/,;|]|\band\b|\bund\b|\bet\b|\by\b|\be\b|&)\s*", re.IGNORECASE)


def is_own(site: str, agency: str | None) -> bool:
    """Whether a registrable domain is an agency's own, of a known one or of the one that the text is credited to.

    >>> is_own("reuters.com", None), is_own("halyard.example", "Halyard"), is_own("valleypost.example", "Halyard")
    (True, True, False)
    """
    name = re.sub(r"\W", "", agency or "").lower()
    return site in SITES or (bool(name) and site.split(".")[0].replace("-", "") == name)


def agency(text: str, byline: str | None = None) -> str | None:
    """The agency that the text's dateline or the byline names; None if there is none.

    >>> agency("LISBON (Reuters) - Ferries stayed in port.")
    'Reuters'
    >>> agency("Ferries stayed in port.", "Ana Prado and AFP")
    'AFP'
    """
    start = text[:160]
    if found := _DATELINE.match(start):
        name = found[1].strip()
        if name.lower() in AGENCIES:
            return AGENCIES[name.lower()]
        if name[0].isupper() and len(name.split()) <= 3:
            return name
    if (found := _LEADING.match(start)) and found["name"].strip().lower() in AGENCIES:
        return AGENCIES[found["name"].strip().lower()]
    for name in _SEPARATORS.split(byline or ""):
        if name.strip().lower() in AGENCIES:
            return AGENCIES[name.strip().lower()]
    return None
