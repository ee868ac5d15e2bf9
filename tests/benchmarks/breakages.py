"""Correct answers with one token broken: what a candidate's slip looks like.

Written before the code that repairs them. Each of `BREAKAGES` is an answer, the text that is
broken in it (its first occurrence), what stands there instead, and whether one smallest edit
leads back. Where it does not, two readings are equally near or an idea is lost: such an answer
has to stay as it is, or to be read as it was.
"""

from __future__ import annotations

from typing import NamedTuple


class Breakage(NamedTuple):
    """One slip in one answer; `leads_back` where nothing else is as near as what was written."""

    answer: str
    written: str
    broken: str
    leads_back: bool = True


def _of(answer: str, *slips: tuple[str, str] | tuple[str, str, bool]) -> tuple[Breakage, ...]:
    return tuple(Breakage(answer, *slip) for slip in slips)


BREAKAGES: tuple[Breakage, ...] = (
    *_of(
        "reference",
        ("-> dict[str, Array]:\n", "-> dict[str, Array]\n"),  # a colon
        ("    return loss, exp / total", "    retrun loss, exp / total"),
        ('NAMES = ("W1", "b1"', 'NAMES = "W1", "b1"'),  # an opening bracket
        (
            "return loss, Cache(X, y, W1, W2, Z1, H1, P)",
            "return loss, Cache(X, y, W1, W2, Z1, H1, P",
        ),
        ("        return False", "       return Fals"),  # a name and an indent
        ("import numpy as np", "imprt numpy as np"),
        ("    H1 = np.maximum(Z1, 0)", "    H1 = np.maximun(Z1, 0)"),
        ("dZ2 = P.copy()", "dZ2 = P.copi()"),
        ("    exp = np.exp(shifted)", "\texp = np.exp(shifted)"),  # a tab among spaces
    ),
    *_of(
        "ada-okafor",
        ("def backward(cache):", "def backward(cache)"),
        ("    S = Z2 - Z2.max(axis=1, keepdims=True)", "    S = Z2 - Z2.max(axs=1, keepdims=True)"),
        ("    dZ2 = P.copy()", "     dZ2 = P.copy()"),  # a space too many
        ("    dZ2 /= B ", "   dZ2 /= B "),  # and one too few
        ("def torch_forward_backward", "dfe torch_forward_backward"),
        ('"b2", "X"):\n', '"b2", "X")\n'),
        ("Z1 = X @ W1 + b1", "Z1 = X W1 + b1", False),  # the operator is the idea
        ("    return bool(ok)", "    return bool(ok"),
        ('    print("agree:", verify(*args))', '    print "agree:", verify(*args)'),
    ),
    *_of(
        "bjorn-halvorsen",
        ('y = cache["X"], cache["y"]', 'y = cache["X"], cache["y]'),  # a quote
        ("    cache = {", "    chache = {"),
        ("H1[Z1 <= 0] = 0", "H1[Z1 <= 0 = 0"),
        ("    batch = X.shape[0]", "    batch = X.shape[0)"),
        ('"W2": W2, "Z1": Z1', '"W2": W2 "Z1": Z1'),  # a comma
        ("loss = np.mean(nll)", "loss = np.mean(nll)$"),  # a stray character
        ("np.sum(dZ2, axis=0)", "np.sum(dZ2， axis=0)"),  # full width
        ("import torch\n", "import torhc\n"),
    ),
    *_of(
        "chiara-lombardi",
        (
            "    return np.where(z > 0, z, np.zeros_like(z))",
            "    return np.where(z > 0, z, np.zeros_lik(z))",
        ),
        ("        inputs=X,\n", "        inputs=X\n"),
        ("class ForwardCache:", "clas ForwardCache:"),
        ("@dataclass(frozen=True)", "@dataclass(frozen=Ture)"),
        ("    return -true_class.mean(), cache", "    return -true_class.mean(), cahce"),
        (
            '    """Row-wise log-softmax, safe for logits of any size."""',
            '    """Row-wise log-softmax, safe for logits of any size.""',
        ),
        ("return centred - np.log(", "return centred - np.log[", False),
    ),
    *_of(
        "dmitri-volkov",
        ('"bh,hc->bc", h1, W2) + b2', '"bh,hc->bc, h1, W2) + b2', False),
        ("    n = x.shape[0]", "    n = x.shap[0]"),
        ("    return True", "    return Ture"),
        ("    for k, a in g0.items():", "    for k, a in g0.items()"),
        ("if X.dtype == np.float32 else", "if X.dtype = np.float32 else"),
        ("h1 = z1 * (z1 > 0)", "h1 = z1 (z1 > 0)", False),
        ("for k in (", "fro k in ("),
    ),
    *_of(
        "emeka-nwosu",
        (
            "    Y = np.zeros((y.shape[0], num_classes), dtype=dtype)",
            "    Y = np.zeros((y.shape[0], num_classes, dtype=dtype)",
            False,
        ),
        ("    grads = {", "    grad = {"),
        ('"b2": db2, "X": dX}', '"b2": db2, "X": dX)'),
        ("            super().__init__()", "          super().__init__()"),
        ("with torch.no_grad():", "with torch.no_grad()"),
        ("dZ2 = (P - Y) / Y.shape[0]", "dZ2 = (P - Y / Y.shape[0]", False),
        ("loss = -np.sum(Y * log_P)", "loss = -np.sun(Y * log_P)"),
    ),
    *_of(
        "fatima-zahra-idrissi",
        ("    else:\n", "    else\n"),
        ("    if X.dtype == np.float32:", "    if X.dtype = np.float32:"),
        ("    m = a.max(axis=1, keepdims=True)", "    m = a.max(axis=1, kepdims=True)"),
        ("    B = len(X)", "    B = lne(X)"),
        ("    loss.backward()", "    loss.backwrad()"),
        ("import numpy as np", "import numpy as npp"),
        (
            '(L_mean = L_sum / B, and the derivative is linear.)\n"""',
            "(L_mean = L_sum / B, and the derivative is linear.)\n",
        ),
    ),
    *_of(
        "george-papadakis",
        ("class ReLU:", "class ReLU"),
        ("        return upstream @ W.T ", "        return upsteam @ W.T "),
        ("        self.saved = (x, self.W)", "        self.saved = (x, self.W"),
        ("        p, y = self.saved", "        p, y = self.saevd"),
        (
            "    def backward(self, upstream):\n        x, W",
            "    def backward(self, upstream)\n        x, W",
        ),
        ("loss = criterion.forward(", "loss = criterion.forwad("),
        ("        return g / y.size", "        return g / y.sizes"),
    ),
    *_of(
        "hannah-schmidt",
        ("    z = X @ W1 + b1", "    z = X @ W1 + b1)"),
        ("from collections import namedtuple", "form collections import namedtuple"),
        ("delta_out = (probs - target) / n", "delta_out = (probs - target] / n"),
        ("            return False", "            return Flase"),
        ("    leaf = lambda a:", "    leaf = lamda a:"),
        ("    loss = (torch.logsumexp(scores, dim=1)", "    loss = (torch.logsumexp(scores, dim=1"),
        ("    return bool(worst < 1e4 * eps)", "    return bool(worst < 1e4 * ep"),  # cut off
        ("y.shape[0]), y]", "y.shape[0]), y", False),
    ),
    *_of(
        "marta-nowicka",
        ("    G = P / y.size", "    G = P / y.size;;"),
        ("    loss.backward()", "    loss.backward(("),
        ("    return loss, (X, y", "    return loss (X, y", False),
        ('    print("all five gradients agree")', '    print "all five gradients agree"'),
        ("(W1, b1, W2, b2, X)]", "(W1, b1, W2, b2, X)"),
        ("import torch\n", "import torch\u200b\n"),  # a character without width
        ("    Z1 = X @ W1 + b1\n    H1", "    Z1 = X @ W1 + b1\n    h1"),
    ),
    *_of(
        "rafael-lima",
        ("def forward(X, y, W1, b1, W2, b2):", "def forward(X, y, W1, b1, W2, b2:"),
        ("    active = H1 > 0", "    active = H1 > O", False),  # O for 0
        ("    dH1 = dZ2 @ W2.T", "    dH1 = dZ2 @ W2.T'"),
        ("    dZ2 = P.copy()", "    dZ2 = P.copy(]"),
        ('X.T @ dZ1, "b1"', 'X.T @ dZ1. "b1"'),
        ("dZ1 = dH1 * active", "dZ1 = dH1 * actve"),
    ),
)
