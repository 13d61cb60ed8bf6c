"""Cleaning: what a reader would see of a text, and nothing that is hidden in it.

Unicode work uses the frozen database of Unicode 3.2 that every Python carries, so that the same text gives the same
bytes whatever the interpreter.
"""

import re
from unicodedata import ucd_3_2_0

READ_LIMIT = 40_000
"""Characters of a post-mortem's body that are read; a long incident's report is some 20,000."""
LINE_LIMIT = 2500
"""Lines of it that are read; such a report has some 500."""
MARKS_LIMIT = 30
"""Combining marks in a row that are kept, as in the stream-safe text of Unicode Standard Annex 15: normalising a run takes
time that grows with its square."""

# Letters of other scripts that look like Latin ones (Unicode Technical Report 36, section 2: visual spoofing),
# written as escapes because in print they cannot be told from what they imitate.
_CYRILLIC = (
    "\u0430\u0431\u0432\u0433\u0435\u0451\u0437\u0456\u0457\u0458\u043a\u043c\u043d\u043e\u04cf\u0440"
    "\u0441\u0442\u0443\u0445\u0455\u0443\u0501\u04bb\u051b\u051d\u0410\u0412\u0415\u0405\u0406\u0408"
    "\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0423"
)
_CYRILLIC_AS_LATIN = "a6breeziijkmholpctyxsydhqwABESIJKMHOPCTXY"
_GREEK = (
    "\u03b1\u03b5\u03b9\u03ba\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7\u03c9\u03b3\u0391\u0392\u0395\u0396"
    "\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7"
)
_GREEK_AS_LATIN = "aeiknoptuxwyABEZHIKMNOPTYX"
_TYPOGRAPHY = {
    "\u0131": "i",
    "\u017f": "s",
    "\u2010": "-",
    "\u2011": "-",
    "\u2012": "-",
    "\u2013": "-",
    "\u2212": "-",
    "\u2019": "'",
    "\u2018": "'",
    "\u02bc": "'",
    "\u201c": '"',
    "\u201d": '"',
    "\u201e": '"',
    "\u2026": "...",
}
_FOLD = str.maketrans(dict(zip(_CYRILLIC + _GREEK, _CYRILLIC_AS_LATIN + _GREEK_AS_LATIN, strict=True)) | _TYPOGRAPHY)
_MIXED = re.compile(f"[A-Za-z][{_CYRILLIC}{_GREEK}]|[{_CYRILLIC}{_GREEK}][A-Za-z]")
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff"
    "\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]"
)
# A run is looked for once: every further start of it would be tried again.
_DISGUISED = re.compile(rf"(?<=\w)(?<!{_INVISIBLE.pattern}){_INVISIBLE.pattern}+(?=\w)")


def clean(text: str) -> tuple[str, int]:
    """Return the text as a reader sees it, and the number of disguised characters that were found in it.

    Disguised are invisible characters inside words and letters of another script inside Latin words.
    """
    text = cut(text)
    disguised = len(_DISGUISED.findall(text))
    text = _INVISIBLE.sub("", text)
    text = cut(ucd_3_2_0.normalize("NFKC", _stream_safe(text)))
    disguised += len(_MIXED.findall(text))
    return text.translate(_FOLD), disguised


def cut(text: str) -> str:
    """Return what is read of a text: its first `READ_LIMIT` characters, and of those the first `LINE_LIMIT` lines."""
    return "\n".join(text[:READ_LIMIT].split("\n", LINE_LIMIT)[:LINE_LIMIT])


def _stream_safe(text: str) -> str:
    if text.isascii():
        return text
    kept = []
    run = 0
    for letter in text:
        run = run + 1 if ucd_3_2_0.combining(letter) else 0
        if run <= MARKS_LIMIT:
            kept.append(letter)
    return "".join(kept)


def one_line(text: str, limit: int = 300) -> str:
    """Collapse white space, and shorten to `limit` characters at a word's end."""
    flat = " ".join(text.split())
    if len(flat) <= limit:
        return flat
    return flat[: limit - 1].rsplit(" ", 1)[0] + "…"
