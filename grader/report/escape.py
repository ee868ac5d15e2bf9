"""Hidden characters as visible escapes, in every text that a stranger wrote.

Terminals obey escape sequences, and browsers and editors obey bidirectional
controls. Both can make a line read as something it is not, so every untrusted
text goes through `visible` before it goes to a page, a table or a terminal.
"""

from __future__ import annotations

import re

from markupsafe import Markup, escape

HIDDEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 without tab and newline, DEL, C1
    r"\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f"  # soft hyphen, marks, fillers, zero width
    r"\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0"  # separators, bidi embeddings and isolates, BOM
    r"\ufdd0-\ufdef\ufff9-\ufffb\ufffe\uffff"  # non-characters and annotations
    r"\ud800-\udfff\U000e0000-\U000e0fff]"  # lone surrogates, tag characters
)
"""What is replaced. Joiners (U+200C, U+200D) stay: names in many scripts need them."""

CODE = re.compile(r"`([^`\n]+)`")


def visible(text: str, *, multiline: bool = True) -> str:
    """Return `text` with control, bidi and other hidden characters as visible escapes.

    Tabs and newlines stay when `multiline`; names and table cells pass False.
    The result always encodes as UTF-8.
    """
    if text.isascii() and text.isprintable():
        return text  # as most is: nothing to look for
    spelled = HIDDEN.sub(_spelled, text.replace("\r\n", "\n"))
    return spelled if multiline else spelled.replace("\n", r"\n").replace("\t", r"\t")


def storable(text: str) -> str:
    """Return `text` as data for JSON: unchanged, except that lone surrogates are spelled out."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def clip(text: str, limit: int) -> str:
    """Return the first `limit` characters, saying how many were left out."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}… ({len(text) - limit:,} more characters not shown)"


def prose(text: str) -> Markup:
    """Return a message as HTML: made visible, escaped, and `words in backticks` set as code."""
    return Markup(CODE.sub(_code, str(escape(visible(text)))))  # escaping leaves backticks alone


def _code(match: re.Match[str]) -> str:
    return f"<code>{match[1]}</code>"


def _spelled(match: re.Match[str]) -> str:
    """Return a character as Python spells it: `\\x1b`, `\\u202e`. Every font has these letters."""
    code = ord(match[0])
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
