"""The cohort's rows as compact JSON inside the page: repeated values are indices into lists."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from markupsafe import Markup

from grader.report.escape import clip, visible
from grader.report.overview import CohortRow, Overview
from grader.report.review_reasons import REASONS

LONGEST = 120
"""Characters of a name or an id; of a fault it is three times as many."""

NONE_RAN = "-"


def rows_json(view: Overview) -> Iterator[Markup]:
    """Yield `{"codes", "bands", "reasons", "dimensions", "rows"}`, in pieces; a row is a list, see
    `_packed`.

    Every text is made visible; `<`, `>` and `&` are spelled out, so that no text can end the
    element it stands in.
    """
    codes, bands = _index(c.id for c in view.defects), _index(view.bands)
    for row in view.rows:
        for code in row.codes:
            codes.setdefault(code, len(codes))
    head = {
        "codes": [_text(code) for code in codes],
        "bands": [_text(band) for band in bands],
        "reasons": [[key, title] for key, (title, _) in REASONS.items()],
        "dimensions": [_text(d.title) for d in view.dimensions],
    }
    yield Markup(_json(head).removesuffix("}") + ',"rows":[')
    for number, row in enumerate(view.rows):
        yield Markup(("," if number else "") + _json(_packed(row, codes, bands)))
    yield Markup("]}")


def _json(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def _packed(row: CohortRow, codes: dict[str, int], bands: dict[str, int]) -> list[Any]:
    """Return id; name, "" if the same; score; percent; open points; band; failed checks; codes;
    reasons as bits; a digit for each dimension's share; fault; whether it ran unisolated.
    """
    reasons = sum(1 << at for at, key in enumerate(REASONS) if key in row.reasons)
    shares = "".join(str(int(9 * share)) if share >= 0 else NONE_RAN for share in row.shares)
    return [
        _text(row.id),
        _text(row.name) if row.name != row.id else "",
        row.score,
        round(100 * row.fraction, 2) if row.decided else -1,
        row.open_points,
        bands.get(row.band, -1),
        row.failed,
        [codes[code] for code in row.codes],
        reasons,
        shares,
        clip(visible(row.fault, multiline=False), 3 * LONGEST) if not row.decided else "",
        int(row.unisolated),
    ]


def _index(texts: Iterable[str]) -> dict[str, int]:
    return {text: number for number, text in enumerate(dict.fromkeys(texts))}


def _text(text: str) -> str:
    return clip(visible(text, multiline=False), LONGEST)
