"""Where weights stand among the arrays of an object or a container, and how they lie there."""

from __future__ import annotations

from typing import Any

from grader.child.binding import names
from grader.child.binding.language import places
from grader.child.binding.language.layout import Layout
from grader.child.binding.names import WEIGHTS
from grader.child.binding.trial import SIZES


def locate(entries: list[tuple[places.Place, Any]]) -> dict[str, places.Place]:
    """Weight → where it stands, by its sizes; of several, the one whose name says so."""
    D, H, C = (SIZES[s] for s in "DHC")
    wanted = {"W1": {D, H}, "b1": {H}, "W2": {H, C}, "b2": {C}}
    found: dict[str, places.Place] = {}
    for name in WEIGHTS:
        fits = [p for p, v in entries if {n for n in places.shape(v) if n > 1} == wanted[name]]
        fits = [p for p in fits if not _is_other(p)] or fits
        named = [p for p in fits if names.gradient_of(places.last_name(p)) == (name, False)]
        if named or fits:
            found[name] = (named or fits)[0]
    return found


def chained(entries: list[places.Entry]) -> tuple[dict[str, places.Place], Layout | None]:
    """Weights that were made at sizes of their own: by their names, or two layers in a row.

    Their sizes have to fit one another, as those of two layers do.
    """
    own = [(p, v) for p, v in entries if not _is_other(p)]
    at: dict[str, places.Place] = {}
    for place, _ in own:
        for text in (places.last_name(place), places.whole_name(place)):
            tensor, explicit = names.gradient_of(text)
            if tensor in WEIGHTS and not explicit:
                at.setdefault(tensor, place)
    if set(at) != set(WEIGHTS):
        flat = [(p, [n for n in places.shape(v) if n > 1]) for p, v in own]
        two, one = ([p for p, s in flat if len(s) == n] for n in (2, 1))
        if len(two) != 2 or len(one) != 2:
            return {}, None
        at = dict(zip(("W1", "W2", "b1", "b2"), (*two, *one), strict=True))
    shapes = {n: places.shape(v) for n, p in at.items() for q, v in own if q == p}
    return at, _layout_of_chain(shapes)


def _layout_of_chain(shapes: dict[str, tuple[int, ...]]) -> Layout | None:
    W1, W2, b1 = shapes["W1"], shapes["W2"], shapes["b1"]
    if len(W1) != 2 or len(W2) != 2 or len(b1) not in (1, 2):
        return None
    size = max(b1)
    bias = "flat" if len(b1) == 1 else "row" if b1[0] == 1 else "column"
    if (W1[0], W2[1]) == (size, size) and (W1[1], W2[0]) != (size, size):
        return Layout(transposed=True, bias=bias)
    return Layout(bias=bias) if (W1[1], W2[0]) == (size, size) else None


def _is_other(place: places.Place) -> bool:
    """Tell whether a place's names say gradient, momentum or running average."""
    words = [str(key) for _, key in place if isinstance(key, str)]
    return any(
        names.gradient_of(w)[1]
        or "grad" in w.lower()
        or w.lower().startswith(("m_", "v_", "vel", "cache", "mom"))
        for w in words
    )


def layout_of(shapes: dict[str, tuple[int, ...]]) -> Layout | None:
    """Return how weights of these shapes lie; the input's side is left open."""
    D, H = SIZES["D"], SIZES["H"]
    if shapes.get("W1") not in ((D, H), (H, D)):
        return None
    bias = shapes.get("b1", (H,))
    forms = {(H,): "flat", (1, H): "row", (H, 1): "column"}
    return Layout(transposed=shapes["W1"] == (H, D), bias=forms.get(bias, "flat"))
