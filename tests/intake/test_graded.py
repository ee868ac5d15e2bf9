"""The same right answer in what candidates really hand in: each way gets everything."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from grader.cohort import Engine
from grader.intake import take_in
from grader.records import CheckStatus, Result, Severity
from tests.intake.archives import packed, tarred
from tests.sandbox.confined import linux_only

ROOT = Path(__file__).parents[2]
WHOLE = (ROOT / "reference" / "solution.py").read_text()
ANSWER = WHOLE.replace("from __future__ import annotations", "")
Files = dict[str, str | bytes]

pytestmark = linux_only


def split() -> tuple[str, str, str]:
    """The reference as three files' texts: the NumPy part, the PyTorch part, the rest."""
    numpy, torch = ANSWER.split("def torch_forward_backward", 1)
    torch, verify = torch.split("def verify", 1)
    return numpy, "def torch_forward_backward" + torch, "def verify" + verify


def notebook(*cells: str) -> str:
    rows = [{"cell_type": "code", "source": cell, "outputs": []} for cell in cells]
    return json.dumps({"cells": rows, "nbformat": 4})


def graded(engine: Engine, root: Path, files: Files) -> Result:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    only = list(files)
    alone = len(only) == 1 and "/" not in only[0]
    return engine.grade(take_in(root / only[0] if alone else root))


NUMPY, TORCH, VERIFY = split()
NAMES = (
    "import numpy as np\nimport torch\nimport torch.nn.functional as F\nfrom typing import Any\n"
    "from torch.nn.functional import cross_entropy\nNAMES = ('W1', 'b1', 'W2', 'b2', 'X')\n"
    "Array = np.ndarray\n"
)

STYLES: dict[str, Files] = {
    "a file under another name": {"my_homework_final.py": ANSWER},
    "a notebook": {
        "hw.ipynb": notebook(
            "%matplotlib inline\n!pip install torch\nimport matplotlib.pyplot as plt", WHOLE,
            "plt.plot([1, 2])\nplt.show()", "get_ipython().system('ls')", "np.sum?",
        )
    },
    "a notebook with a cell that fails and one that does not parse": {
        "hw.ipynb": notebook("EPS = 1e-12", "raise ValueError('demo')", "for i in", ANSWER)
    },
    "an archive with junk": {
        "ada.zip": packed(
            [("ada/__MACOSX/._solution.py", b"\0\0"), ("ada/venv/lib/x.py", b"def forward(): ..."),
             ("ada/solution.py", ANSWER.encode()), ("ada/weights.npz", b"PK")]
        )
    },
    "a tar": {"ada.tar.gz": tarred([("./ada/solution.py", ANSWER.encode())])},
    "an archive in an archive": {
        "ada.zip": packed([("ada/code.zip", packed([("src/solution.py", ANSWER.encode())]))])
    },
    "parts in three files": {
        "numpy_part.py": NUMPY, "torch_part.py": NAMES + TORCH,
        "checks.py": f"{NAMES}from numpy_part import *\nfrom torch_part import *\n{VERIFY}",
    },
    "parts in three files without a main one": {
        "numpy_part.py": NUMPY, "torch_part.py": NAMES + TORCH,
        "verify.py": f"{NAMES}import numpy_part, torch_part\n"
        "from numpy_part import softmax_cross_entropy, softmax_cross_entropy_gradient\n" + re.sub(
            r"(?<![\w.])(?<!def )(?:torch_)?(?:forward_)?(?:for|back)ward\(",
            lambda m: f"{'torch' if 'torch' in m[0] else 'numpy'}_part.{m[0]}",
            VERIFY,
        ),
    },
    "helpers beside it, in a folder": {
        "src/solution.py": "from utils import np\n" + ANSWER, "src/utils.py": "import numpy as np\n",
        "README.md": "# My work", "tests/test_solution.py": "from src.solution import forward\n",
    },
    "relative imports without a package": {
        "solution.py": "from .utils import np\n" + ANSWER, "utils.py": "import numpy as np\n",
    },
    "a script that trains, plots, reads and asserts": {
        "solution.py": "import pandas as pd\nfrom tqdm import tqdm\nimport seaborn as sns, argparse\n"
        "parser = argparse.ArgumentParser()\nparser.add_argument('--lr', default=0.1)\n"
        f"args = parser.parse_args()\n{ANSWER}\n"
        "df = pd.read_csv('data.csv')\nX = df.values / 255.0\nfor i in tqdm(range(3)):\n    print(i)\n"
        "data = open('data.csv').read()\nassert len(data) == 3\n"
    },
    "a module level that never ends": {
        "solution.py": "def train():\n    while True:\n        pass\n"
        f"history = train()\n{ANSWER}\nwhile True:\n    history = 1\n"
    },
    "an input and an exit before the definitions": {
        "solution.py": f"name = input('name? ')\nimport sys\nsys.exit(0)\n{ANSWER}"
    },
    "conditional imports": {
        "solution.py": "try:\n    import cupy as xp\nexcept ImportError:\n    xp = None\n" + ANSWER
    },
    "Windows": {"solution.py": b"\xef\xbb\xbf" + ANSWER.replace("\n", "\r\n").encode()},
    "another encoding": {
        "solution.py": b"# -*- coding: cp1251 -*-\n# \xef\xf0\xe8\xe2\xe5\xf2\n"
        + ANSWER.encode("ascii", "ignore")
    },
}  # fmt: skip


@pytest.mark.parametrize("style", STYLES)
def test_a_right_answer_gets_everything(style: str, engine: Engine, tmp_path: Path) -> None:
    result = graded(engine, tmp_path, STYLES[style])
    assert result.fault == ""
    assert [d for d in result.defects if d.severity is Severity.MAJOR] == []
    lost = [
        c.id for c in result.grade.checks if c.status in (CheckStatus.FAIL, CheckStatus.SKIPPED)
    ]
    assert lost == []
    assert result.grade.score == result.grade.max_score > 0


def defects(result: Result) -> dict[str, tuple[str | None, int | None, str]]:
    """The first defect of each code."""
    return {d.code: (d.file, d.line, d.message) for d in reversed(result.defects)}


OWN_FORWARD = (
    "import numpy as np\ndef forward(X, y, W1, b1, W2, b2):\n    z = np.maximum(X @ W1 + b1, 0)\n"
    "    p = np.exp(z @ W2 + b2)\n    return -np.log((p / p.sum(1, keepdims=True))[range(len(y)), y]).mean(), z\n"
)
OWN_CLASS = (
    "import numpy as np\nclass Net:\n    def __init__(self, d, h, c):\n        self.W1, self.W2 = np.ones((d, h)), np.ones((h, c))\n"
    "    def forward(self, X):\n        return np.maximum(X @ self.W1, 0) @ self.W2\n"
)

WRONG: dict[str, tuple[Files, dict[str, tuple[str | None, int | None, str]]]] = {
    "Python 2": (
        {"solution.py": f"import numpy as np\nprint 'loss', 3\n{ANSWER}"},
        {
            "python2-source": ("solution.py", 2, "print is a statement"),
        },
    ),
    "a syntax error": (
        {"solution.py": f"{ANSWER}\nx = (\n"},
        {"syntax-error": ("solution.py", ANSWER.count("\n") + 2, "never closed")},
    ),
    "a helper that was not handed in": (
        {"solution.py": "import math\nfrom my_utils import softmax\n" + ANSWER.replace("np.exp", "softmax")},
        {"import-error": ("solution.py", 2, "imports `my_utils`, which was not handed in")},
    ),
    "bytes that are no text": (
        {"solution.py": f"x = 1\n# caf\u00e9\n{ANSWER}".encode("latin-1", "ignore")},
        {"syntax-error": ("solution.py", 2, "byte 0xe9 is not UTF-8")},
    ),
    "UTF-16": (
        {"solution.py": ANSWER.encode("utf-16")},
        {"syntax-error": ("solution.py", 1, "save it as UTF-8")},
    ),
    "another backward": (
        {"solution.py": f"{OWN_FORWARD}\ndef backprop(quux, zork):\n    return {{'W1': quux}}\n"},
        {"missing-function": ("solution.py", 7, "Instead: found `backprop(quux, zork)` (solution.py, line 7), which needs `quux`")},
    ),
    "a backward that takes more": (
        {"solution.py": f"{OWN_FORWARD}\ndef backward(cache, zork, quux):\n    return {{}}\n"},
        {"wrong-signature": ("solution.py", 7, "missing 2 required positional arguments")},
    ),
    "a class whose backward is a stub": (
        {"net.py": f"{OWN_CLASS}    def backward(self, d):\n        raise NotImplementedError\n"},
        {"incomplete": ("net.py", 7, "found `backward(d)` (net.py, line 7), which is a stub")},
    ),
    "nothing but comments": (
        {"solution.py": "# to do\n\n  # later\n"},
        {"missing-function": (None, None, "solution.py holds nothing but comments")},
    ),
    "a part that does not parse": (
        {"numpy_part.py": NUMPY, "torch_part.py": f"{NAMES}def oops(:\n{TORCH}",
         "check.py": NAMES + VERIFY},
        {"syntax-error": ("torch_part.py", 8, "SyntaxError")},
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_an_error_says_where_and_what_to_do(what: str, engine: Engine, tmp_path: Path) -> None:
    files, expected = WRONG[what]
    found = defects(graded(engine, tmp_path, files))
    for code, (file, line, words) in expected.items():
        assert code in found, found
        assert found[code][:2] == (file, line), found[code]
        assert words in found[code][2]


NOBODY_CALLS: dict[str, tuple[Files, str]] = {
    "a class that nobody can make": (
        {"net.py": OWN_CLASS.replace("d, h, c)", "d, h, c, zork, quux)")
         + "    def backward(self, d):\n        return d\n"},
        "no object of class `Net` could be made: Net(d, h, c, zork, quux)",
    ),
    "everything at module level": (
        {"solution.py": "import numpy as np\nW1 = np.ones((3, 4))\nfor i in range(2):\n    h = np.ones((2, 3)).dot(W1)\n"},
        "outside of any function (solution.py, line 4)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", NOBODY_CALLS)
def test_what_nobody_can_call_says_what_was_found(
    what: str, engine: Engine, tmp_path: Path
) -> None:
    files, words = NOBODY_CALLS[what]
    result = graded(engine, tmp_path, files)
    assert result.unjudged is not None
    assert any(words in attempt.error for attempt in result.unjudged.attempts)
    assert "missing-function" not in defects(result)


def test_data_that_is_not_there_is_no_failed_import(engine: Engine, tmp_path: Path) -> None:
    data = "import numpy as np, pandas as pd\n"
    data += "X = np.asarray(pd.read_csv('train.csv'), dtype=float)\n"
    code = ANSWER.partition("def torch_forward_backward")[0]
    found = defects(graded(engine, tmp_path, {"a.py": data + code}))
    assert "missing-function" in found, "else nothing would have to be explained"
    assert "import-error" not in found


def test_a_broken_part_leaves_the_others(engine: Engine, tmp_path: Path) -> None:
    result = graded(engine, tmp_path, WRONG["a part that does not parse"][0])
    checks = {c.id: c.status for c in result.grade.checks}
    assert checks["forward.loss"] == checks["backward.dW1"] == "pass"
    assert checks["pytorch.runs"] == "fail"


def test_what_was_needed_is_told_and_costs_nothing(engine: Engine, tmp_path: Path) -> None:
    from grader.report import render_report

    result = graded(engine, tmp_path, STYLES["a script that trains, plots, reads and asserts"])
    page = re.sub(r"\s+", " ", render_report(result, audience="candidate"))
    for words in ("How it was taken in", "Left out at module level", "pandas, tqdm, seaborn"):
        assert words in page
