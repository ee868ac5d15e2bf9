"""The same statements, straight down and in functions, with the same mistakes in them."""

from __future__ import annotations

from textwrap import indent

import numpy as np
import pytest

from tests.child.binding.loaded import answers, binding_of, inputs

FORWARD = """\
Z1 = X @ W1 + b1
H1 = np.maximum(Z1, 0)
Z2 = H1 @ W2 + b2
S = Z2 - Z2.max(axis=1, keepdims=True)
P = np.exp(S) / np.exp(S).sum(axis=1, keepdims=True)
loss = -np.log(P[np.arange(len(y)), y]).mean()
"""
BACKWARD = """\
dZ2 = P.copy()
dZ2[np.arange(len(y)), y] -= 1
dZ2 /= len(y)
dW2 = H1.T @ dZ2
db2 = dZ2.sum(axis=0)
dH1 = dZ2 @ W2.T
dZ1 = dH1 * (Z1 > 0)
dW1 = X.T @ dZ1
db1 = dZ1.sum(axis=0)
dX = dZ1 @ W1.T
"""
MADE = """\
import numpy as np
N, D, H, C = 9, 4, 6, 3
rng = np.random.default_rng(0)
X, y = rng.normal(size=(N, D)), rng.integers(0, C, N)
W1, b1 = rng.normal(size=(D, H)), rng.normal(size=H)
W2, b2 = rng.normal(size=(H, C)), rng.normal(size=C)
"""
GRADIENTS = '{"W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "X": dX}'
MISTAKES = {
    "none": ("", ""),
    "no mask": ("dH1 * (Z1 > 0)", "dH1"),
    "mask of the gradient": ("dH1 * (Z1 > 0)", "dH1 * (dH1 > 0)"),
    "no mean": ("dZ2 /= len(y)\n", ""),
    "the mean twice": ("H1.T @ dZ2", "H1.T @ dZ2 / len(y)"),
    "sum of the loss": (".mean()", ".sum()"),
    "no bias": ("X @ W1 + b1", "X @ W1"),
    "label not taken off": ("dZ2[np.arange(len(y)), y] -= 1\n", ""),
    "sigmoid": ("np.maximum(Z1, 0)", "1 / (1 + np.exp(-Z1))"),
    "wrong axis": ("np.exp(S).sum(axis=1, keepdims=True)", "np.exp(S).sum(axis=0)"),
    "bias mean": ("dZ1.sum(axis=0)", "dZ1.mean(axis=0)"),
    "in place": ("dZ2 = P.copy()", "dZ2 = P"),
    "wrong shape": ("dX = dZ1 @ W1.T", "dX = W1 @ dZ1.T"),
    "sign": ("dW1 = X.T", "dW1 = -X.T"),
}


def as_functions(forward: str, backward: str) -> str:
    """The statements as the contract has them."""
    kept = "X, y, W1, W2, Z1, H1, P"
    return (
        "import numpy as np\n"
        "def forward(X, y, W1, b1, W2, b2):\n"
        f"{indent(forward, '    ')}    return loss, ({kept})\n"
        "def backward(cache):\n"
        f"    {kept} = cache\n{indent(backward, '    ')}    return {GRADIENTS}\n"
    )


def as_script(forward: str, backward: str) -> str:
    return f"{MADE}{forward}print(loss)\n{backward}W1 -= 0.1 * dW1\n"


def as_training(forward: str, backward: str) -> str:
    body = indent(f"{forward}{backward}W1 -= 0.1 * dW1\nW2 -= 0.1 * dW2\n", "    ")
    return f"{MADE}for epoch in range(3):\n{body}"


def as_main(forward: str, backward: str) -> str:
    body = indent(f"{MADE.partition(chr(10))[2]}{forward}{backward}return loss\n", "    ")
    return f"import numpy as np\ndef main():\n{body}if __name__ == '__main__':\n    main()\n"


@pytest.mark.parametrize("written", [as_script, as_training, as_main])
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_gives_the_same_numbers(mistake: str, written: object) -> None:
    assert callable(written)
    parts = [text.replace(*MISTAKES[mistake]) for text in (FORWARD, BACKWARD)]
    assert mistake == "none" or parts != [FORWARD, BACKWARD]
    given = inputs()
    loss, gradients = answers(binding_of(written(*parts)), given)
    wanted, others = answers(binding_of(as_functions(*parts)), given)
    assert np.array_equal(loss, wanted)
    assert gradients.keys() == others.keys()
    for tensor, gradient in gradients.items():
        assert np.array_equal(gradient, others[tensor])
