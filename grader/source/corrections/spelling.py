"""How near two words are, and the words that a misspelt one may have been."""

from __future__ import annotations

from collections.abc import Iterable


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ATTRIBUTES = _words(
    "T abs add addmm all allclose any arange argmax argmin array asarray as_tensor astype "
    "autograd backward bmm bool clamp clip clone copy cpu cross_entropy detach device diagonal "
    "div dot dtype einsum exp eye finfo flatten float float32 float64 from_numpy functional "
    "gather grad heaviside int int64 is_leaf isfinite item items keys leaf linear log log_softmax "
    "logsumexp long manual_seed matmul max maximum mean min mm mul ndim newaxis nll_loss nn "
    "no_grad norm normal numpy ones ones_like permute pow put_along_axis random relu repeat "
    "requires_grad requires_grad_ reshape retain_grad scatter_ shape sign size softmax sqrt "
    "squeeze stack std sub sum take_along_axis tensor to tolist transpose unsqueeze values view "
    "where zero_ zero_grad zeros zeros_like"
)
"""Attributes of arrays, tensors, NumPy and PyTorch that an answer may need."""

KEYWORDS_OF_CALLS = _words(
    "axis keepdims dtype dim keepdim requires_grad reduction atol rtol out initial where copy "
    "optimize min max size retain_graph create_graph"
)

MODULES = _words(
    "numpy numpy.linalg numpy.random torch torch.nn torch.nn.functional torch.autograd math "
    "dataclasses typing functools collections"
)
"""Modules that an answer may need."""

IN_PYTHON_3 = {
    "xrange": "range",
    "raw_input": "input",
    "unicode": "str",
    "iteritems": "items",
    "itervalues": "values",
    "iterkeys": "keys",
}
"""Names of Python 2's and what they are called now."""


def distance(one: str, other: str) -> int:
    """Return letters to add, drop, replace or swap with the next one, between two words.

    Optimal string alignment, as CPython has it for its "Did you mean", but for the swaps.
    """
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        before, last, row = row, before, [i]
        for j, another in enumerate(other, 1):
            best = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != another))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == another:
                best = min(best, last[j - 2] + 1)
            row.append(best)
    return row[-1]


def reach(word: str) -> int:
    """Return how far a word may be from what it is read as: a third of it, and at most 2."""
    return min(2, (len(word) + 1) // 3 if len(word) > 2 else 0)


def nearest(word: str, known: Iterable[str]) -> list[str]:
    """Return the words at the least distance from `word`, if that is within its reach.

    None is nearer than one that differs in the case of its letters alone.
    """
    known = list(known)
    if same := sorted({k for k in known if k.lower() == word.lower() and k != word}):
        return same
    most = reach(word)
    near = [(distance(word, k), k) for k in known if abs(len(k) - len(word)) <= most and k != word]
    least = min((d for d, _ in near), default=most + 1)
    return sorted({k for d, k in near if d == least <= most})
