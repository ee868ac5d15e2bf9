"""Safe ids, made from any names."""

from __future__ import annotations

import hashlib
import re
import unicodedata

MAX_ID = 64


def safe_id(name: str) -> str:
    """Return `name` as 1 to 64 of `a-z A-Z 0-9 . _ -`, not beginning with `.` or `-`.

    Safe as a file name and in HTML, CSV and a shell. When something had to be
    changed, a short digest of the original keeps different names different.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", plain).strip("-. ")[:MAX_ID]
    reserved = re.fullmatch(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?", plain) is not None
    if plain == name and plain and not reserved:
        return plain
    if reserved:  # `con.txt-1234` would still be Windows' console
        plain = plain.replace(".", "-")
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{plain[: MAX_ID - 9] or 'submission'}-{digest}"


def unique_ids(names: list[str]) -> list[str]:
    """Return safe ids for all of `names`, pairwise different even without regard to case."""
    used: set[str] = set()
    ids = []
    for name in names:
        plain = safe_id(name)
        candidate, n = plain, 2
        while candidate.lower() in used:
            suffix = f"-{n}"
            candidate, n = plain[: MAX_ID - len(suffix)] + suffix, n + 1
        used.add(candidate.lower())
        ids.append(candidate)
    return ids
