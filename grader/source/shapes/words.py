"""The words in which people write shapes: letters for sizes, names for tensors.

The problem's own letters mean one thing. All others are only what people
usually mean by them; how a source uses a letter comes first.
"""

from __future__ import annotations

from collections.abc import Mapping

Shape = tuple[str, ...]
"""A shape in symbols: `B D H C`, or a number; `()` is a scalar."""

SIZES = ("B", "D", "H", "C")

_FIXED = {
    "B": "B batch batch_size batchsize",
    "D": "D",
    "H": "H hidden hidden_dim hidden_size n_hidden num_hidden",
    "C": "C classes num_classes n_classes",
}
_USUAL = {
    "B": "b n m bs nb batches n_samples num_samples n_examples num_examples samples examples 64",
    "D": "d f i in d_in din n_in nin in_dim in_features input inputs input_dim input_size "
    "features n_features num_features n_x nx 128",
    "H": "h hid d_h dh d_hidden n_h nh units hidden_units hiddens 256",
    "C": "c k o out d_out dout n_out nout out_dim out_features output outputs output_dim "
    "output_size n_c n_y ny 10",
}

FIXED: Mapping[str, str] = {w: size for size, words in _FIXED.items() for w in words.split()}
"""Words of one meaning. Their case counts: `d` is anybody's, `D` is the problem's."""

USUAL: Mapping[str, str] = {w: size for size, words in _USUAL.items() for w in words.split()}
"""What a word usually means, in lower case; numbers are the typical sizes."""

SHAPES: Mapping[str, Shape] = {
    "X": ("B", "D"),
    "y": ("B",),
    "W1": ("D", "H"),
    "b1": ("H",),
    "W2": ("H", "C"),
    "b2": ("C",),
    "Z1": ("B", "H"),
    "H1": ("B", "H"),
    "Z2": ("B", "C"),
    "P": ("B", "C"),
    "loss": (),
}
"""The tensors of the problem; a gradient has the shape of its tensor."""

_EXACT: Mapping[str, str] = {n if n in "XyP" else n.lower(): n for n in SHAPES}
_ALIASES: Mapping[str, str] = {
    alias: name
    for name, aliases in {
        "X": "x input inputs",
        "y": "labels targets t",
        "Z1": "preactivation",
        "H1": "a1 h hidden activation activations",
        "Z2": "logits scores",
        "P": "p a2 probs probabilities softmax",
        "loss": "cost crossentropy nll",
    }.items()
    for alias in aliases.split()
}
_GRADIENT_STARTS = ("dloss_d", "dl_d", "dldi", "grad_", "grad", "dl", "d_", "d", "g_", "g")
_GRADIENT_ENDS = ("_gradient", "_grad", ".grad")


def exact_name(word: str) -> str:
    """Return the tensor that the problem itself calls so, "" for none: `dW_1` is `dW1`."""
    word = word.replace("_", "")
    if word in ("X", "y", "P"):
        return word
    if word in ("dX", "dx", "dP", "dp"):
        return f"d{word[1:].upper()}"
    low = word.lower()
    if low in _EXACT:
        return _EXACT[low]
    return f"d{_EXACT[low[1:]]}" if low[:1] == "d" and low[1:] in _EXACT else ""


def tensor_name(word: str) -> str:
    """Return the tensor that a word likely stands for, "" for none: `grad_logits` is `dZ2`."""
    found = exact_name(word) or _plain(word.lower())
    if found:
        return found
    low = word.lower()
    for start in _GRADIENT_STARTS:
        rest = low.removeprefix(start)
        if rest != low and _plain(rest):
            return f"d{_plain(rest)}"
    for end in _GRADIENT_ENDS:
        rest = low.removesuffix(end)
        if rest != low and _plain(rest):
            return f"d{_plain(rest)}"
    return ""


def _plain(word: str) -> str:
    plain = word.replace("_", "").replace("-", "")
    return _EXACT.get(plain, "") or _ALIASES.get(plain, "")


def shape_of(tensor: str) -> Shape | None:
    """Return the shape that `Z1` or `dZ1` must have; None for what is no tensor of the problem."""
    return SHAPES.get(tensor, SHAPES.get(tensor.removeprefix("d")))


def written(shape: Shape) -> str:
    """Return `[B, H]`, or `a scalar`."""
    return f"[{', '.join(shape)}]" if shape else "a scalar"
