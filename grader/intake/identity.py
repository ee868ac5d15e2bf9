"""Safe ids, made from any names."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable

MAX_ID = 64
DIGITS = 8
DIGESTED = re.compile(r"^.*-[0-9a-f]{8}", re.DOTALL)
"""What ends like an id of ours might be somebody else's."""

ASIDE = re.compile(r"[^A-Za-z0-9._-]+")


def safe_id(name: str) -> str:
    """Return `name` as 1 to 64 of `a-z A-Z 0-9 . _ -`, not beginning with `.` or `-`.

    Safe as a file name and in HTML, CSV and a shell. When something had to be
    changed, a short digest of the original keeps different names different.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = ASIDE.sub("-", plain).strip("-. ")[:MAX_ID]
    reserved = re.fullmatch(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?", plain) is not None
    if plain == name and plain and not reserved:
        return plain
    if reserved:  # `con.txt-1234` would still be Windows' console
        plain = plain.replace(".", "-")
    return f"{plain[: MAX_ID - DIGITS - 1] or 'submission'}-{_digest(name)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:DIGITS]


def stable_id(name: str, who: str) -> str:
    """Return the id of `who` in a cohort, the same whoever stands beside them.

    `name` is for people and may be another's too; `who` is one candidate's alone. A name that
    is nobody else's and safe, in small letters, is its own id; the others get a digest, for a
    disk may not tell `Bob` from `bob`.
    """
    if who == name and safe_id(name) == name == name.lower() and not DIGESTED.fullmatch(name):
        return name
    whole = name if who == name else f"{name} {who}"
    plain = safe_id(whole)
    if plain != whole:
        return plain  # it has a digest already
    return f"{plain[: MAX_ID - DIGITS - 1].replace('.', '-')}-{_digest(whole)}"


def unique_ids(names: Iterable[str]) -> list[str]:
    """Return `names`, which are safe, pairwise different even without regard to case."""
    used: set[str] = set()
    ids = []
    for plain in names:
        candidate, n = plain, 2
        while candidate.lower() in used:
            suffix = f"-{n}"
            candidate, n = plain[: MAX_ID - len(suffix)] + suffix, n + 1
        used.add(candidate.lower())
        ids.append(candidate)
    return ids
