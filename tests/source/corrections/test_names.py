"""Misspelt names become what the scope defines, and nothing else."""

from __future__ import annotations

import pytest

from grader.source.corrections.names import function_lines, respelt
from grader.source.corrections.version import SlipKind, version_of

HEAD = "import numpy as np\nimport torch\n"


def readings(line: str, *, before: str = "") -> list[str]:
    """Return the readings of the last line of a function."""
    text = f"{HEAD}def f(cache, dZ1, dZ2):\n{before}    {line}\n"
    version = version_of(text.encode())
    assert version is not None
    at = text.count("\n")
    return [v.lines[at - 1].strip() for v in respelt(version, {at})]


@pytest.mark.parametrize(
    ("misspelt", "right"),
    [
        ("return chache", ["return cache"]),
        ("return np.maximun(dZ1, 0)", ["return np.maximum(dZ1, 0)"]),
        ("return dZ1.sum(axs=1)", ["return dZ1.sum(axis=1)"]),
        ("return dZ1.sum(axis1)", ["return dZ1.sum(axis=1)"]),
        ("return dZ1.shap", ["return dZ1.shape"]),
        ("return dZ1T", ["return dZ1.T", "return dZ1"]),
        ("return Ture", ["return True"]),
        ("return lne(dZ1)", ["return len(dZ1)"]),
        ("return dz1", ["return dZ1"]),
        ("return xrange(3)", ["return range(3)"]),
        ("return dZ3", ["return dZ1", "return dZ2"]),
        ("return np.sun(dZ1)", ["return np.sin(dZ1)", "return np.sum(dZ1)"]),
    ],
)
def test_a_misspelt_word_is_one_that_is_nearest(misspelt: str, right: list[str]) -> None:
    assert readings(misspelt) == right


@pytest.mark.parametrize("line", ["return cache", "return B", "return qqqqqq", "return dZ1 > O"])
def test_nothing_is_near(line: str) -> None:
    assert readings(line) == []


def test_a_name_of_another_function_is_out_of_reach() -> None:
    assert readings("return hiden", before="    def g():\n        hidden = 1\n") == []


def test_an_assignment_that_nobody_reads_has_the_misspelt_name() -> None:
    version = version_of(b"def f(x):\n    chace = x\n    return cache\n")
    assert version is not None
    [right] = respelt(version, {3})
    assert right.text == "def f(x):\n    cache = x\n    return cache\n"


def test_an_import_is_corrected_whole() -> None:
    version = version_of(b"import torchnn.functional as F\nF.relu(1)\n")
    assert version is not None
    [right] = respelt(version, set())
    assert right.lines[0] == "import torch.nn.functional as F"
    assert right.edits[0].slip is SlipKind.NAME


def test_what_lies_on_other_lines_stays() -> None:
    version = version_of(b"def f(cache):\n    chache\n    return 1\n")
    assert version is not None
    assert respelt(version, {3}) == []


def test_the_lines_of_the_function_around() -> None:
    data = b"x = 1\ndef f():\n    def g():\n        return 1\n    return g\n"
    assert function_lines(data, 4) == range(3, 5)
    assert function_lines(data, 5) == range(2, 6)
    assert function_lines(data, 1) == range(1, 2)
