"""Names that a reader takes for one another: by case, hidden characters, letters alike."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

PAIRS = (
    "аa еe оo рp сc уy хx іi ѕs јj һh ԁd ɡg ԛq ԝw кk мm тt вb нh "  # Cyrillic
    "αa οo ιi υu νv ρp κk τt ϲc γy ıi łl 0o 1l"
)
CONFUSABLE = {ord(pair[0]): pair[1] for pair in PAIRS.split()}
"""The commonest of Unicode's confusables (UTS 39), after case is gone."""

UNSEEN = ("Mn", "Me", "Cf", "Cc")


def skeleton(name: str) -> str:
    """Return what is seen of a name: small Latin letters, without marks and hidden characters."""
    text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())
    seen = (c for c in text if unicodedata.category(c) not in UNSEEN)
    return " ".join("".join(seen).translate(CONFUSABLE).split())


def lookalikes(people: Iterable[tuple[str, str]]) -> tuple[tuple[str, ...], ...]:
    """Return names that look like others, each group in order, from pairs of name and id."""
    groups: dict[str, list[str]] = {}
    for name, id in people:
        groups.setdefault(skeleton(name), []).append(f"{spelled(name)} ({id})")
    return tuple(tuple(same) for same in groups.values() if len(same) > 1)


def spelled(name: str) -> str:
    """Return a name with whatever is no plain ASCII spelled out, so that two can be told apart."""
    return "".join(c if " " <= c <= "~" else f"\\u{{{ord(c):x}}}" for c in name)
