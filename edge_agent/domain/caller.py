"""A caller's number becomes a handle: calls of one number can be counted, the number cannot be read from it.

Rules:
1. The number is brought into one form first, so that 090-1234-5678, +81 90 1234 5678 and full-width figures are one.
2. The handle is a keyed hash. Without the key of the box all numbers of Japan could be tried within minutes.
3. Whoever withholds their number, or calls from an extension, has no handle: unknown callers are not one caller.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata

LONGEST = 64
"""Characters of a number as a telephone system may tell it."""
FEWEST_FIGURES = 6
"""Shorter numbers are extensions and services, not callers."""
MOST_FIGURES = 15
"""Of a number in the whole world (ITU-T E.164)."""
HANDLE = 16
"""Characters of a handle: 64 bits, of which two callers of a million share one with a probability of 3 in 10^8."""
_BETWEEN = re.compile(r"[\s()./\-\u2010-\u2015\u2212\u30fc\uff70]")
_FIGURES = re.compile(rf"\+?[0-9]{{{FEWEST_FIGURES},{MOST_FIGURES + 5}}}")
_OF_JAPAN = re.compile(r"(?:\+|00|010)81|81(?=[1-9][0-9]{8,9}$)")


def normalised(number: str) -> str | None:
    """Return a number as it is dialled within Japan, or with + and its country; None if it is none."""
    told = unicodedata.normalize("NFKC", number).strip().lower()
    told = told.removeprefix("tel:").removeprefix("sip:").removeprefix("sips:")
    told = _BETWEEN.sub("", told.partition("@")[0].partition(";")[0])
    if not _FIGURES.fullmatch(told):
        return None
    if found := _OF_JAPAN.match(told):
        return "0" + told[found.end() :].removeprefix("0")
    return told


def handle(number: str, key: bytes) -> str:
    """Return the handle of a caller's number, `HANDLE` hexadecimal characters; empty if it is no number."""
    dialled = normalised(number)
    if dialled is None:
        return ""
    return hmac.new(key, dialled.encode("ascii"), hashlib.sha256).hexdigest()[:HANDLE]
