"""Encodings that are refused: two of Python's codecs take minutes for a long line.

Whoever parses a file, the judge too, has to decode it first, in the encoding that the
file itself names. All other text codecs take linear time.
"""

from __future__ import annotations

import codecs
import re

SLOW = ("punycode", "idna")
"""Made for names of hosts; 2 MB of the first take Python's decoder ten minutes and more."""

DECLARED = re.compile(rb"coding[:=][ \t]*([-_.a-zA-Z0-9]+)")
MOST_DECLARED = 4
"""Of one line: Python takes the first, and each has to be looked up on the disk."""

LINE_END = re.compile(rb"\r\n|\r|\n")


def slow_encoding(data: bytes) -> str:
    """Return the slow encoding that one of the first two lines names, "" for none.

    Looks for more than Python does, which wants a comment: nobody writes this by accident.
    """
    for line in LINE_END.split(data[: 1 << 16], maxsplit=2)[:2]:
        for declared in DECLARED.findall(line)[:MOST_DECLARED]:
            name = declared.decode("ascii")
            try:
                known = codecs.lookup(name).name
            except (LookupError, ValueError):
                continue  # Python will not know it either
            if known in SLOW:
                return known
    return ""
