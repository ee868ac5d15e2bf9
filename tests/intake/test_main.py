"""The file to import is found by what the files define, and no definition is out of reach."""

from __future__ import annotations

import sys
import time
from types import ModuleType

import pytest

from grader.child import loading
from grader.intake.files import Read
from grader.intake.find import assemble
from grader.intake.main import MainFile, choose, file_facts, join_parts
from grader.records import SourceFile, Submission

FORWARD = "import numpy as np\ndef forward_pass(X, y, W1, b1, W2, b2):\n    return 'numpy'\n"
BACKWARD = "def backprop(cache):\n    return 'numpy'\n"
NUMPY = FORWARD + BACKWARD
TORCH = "import torch\ndef torch_grads(X, y):\n    return torch.tensor(X, requires_grad=True)\n"
CHECK = "def check_gradients():\n    return True\n"
PLOTS = "import matplotlib.pyplot as plt\ndef plot_loss():\n    plt.show()\n"
LAYERS = "class Linear:\n    def forward(self, x): ...\n    def backward(self, d): ...\n"
NET = "import torch.nn as nn\nclass Net(nn.Module):\n    def forward(self, x):\n        return x\n"


def files(**texts: str) -> list[SourceFile]:
    return [SourceFile(n.replace("_slash_", "/") + ".py", t.encode()) for n, t in texts.items()]


def chosen(**texts: str) -> MainFile:
    one = choose(files(**texts))
    assert choose(files(**dict(reversed(texts.items())))) == one
    return one


@pytest.mark.parametrize(
    ("texts", "main"),
    [
        ({"hw3": NUMPY + TORCH + CHECK, "plots": PLOTS}, "hw3.py"),
        ({"main": f"from model import forward_pass, backprop\n{TORCH}{CHECK}", "model": NUMPY}, "main.py"),
        ({"main": f"from model import *\n{TORCH}{CHECK}", "model": NUMPY}, "main.py"),
        ({"main": f"from model import (\n    forward_pass,\n    backprop,\n)\n{TORCH}{CHECK}", "model": NUMPY}, "main.py"),
        ({"test_hw": f"from hw import *\n{CHECK}", "hw": NUMPY + TORCH + CHECK}, "hw.py"),
        ({"tests_slash_a": NUMPY + TORCH + CHECK, "z": NUMPY + TORCH + CHECK}, "z.py"),
        ({"data": "def load_data(): ...", "run": "print(1)", "net": NUMPY + TORCH + CHECK}, "net.py"),
        ({"a": "x = 1", "b": LAYERS}, "b.py"),
    ],
)  # fmt: skip
def test_the_main_file_brings_all_parts(texts: dict[str, str], main: str) -> None:
    assert chosen(**texts) == MainFile(main)


@pytest.mark.parametrize(
    ("texts", "parts"),
    [
        ({"numpy_part": NUMPY, "torch_part": TORCH, "verify": CHECK},
         ("torch_part.py", "verify.py", "numpy_part.py")),
        ({"numpy_part": NUMPY, "verify": f"import numpy_part\n{TORCH}{CHECK}"},
         ("verify.py", "numpy_part.py")),
        ({"a": FORWARD, "b": BACKWARD}, ("a.py", "b.py")),
        ({"hw": NUMPY + TORCH, "test_hw": f"from hw import *\n{CHECK}"}, ("test_hw.py", "hw.py")),
        ({"mlp": "class MLP:\n    def forward(self): ...\n    def backward(self): ...\n", "t": TORCH},
         ("t.py", "mlp.py")),
    ],
)  # fmt: skip
def test_parts_that_no_file_brings_together_are_joined(
    texts: dict[str, str], parts: tuple[str, ...]
) -> None:
    found = chosen(**texts)
    assert found.path in parts
    assert set(found.parts) == set(parts)
    assert found.parts[-1] == parts[-1]


def test_a_complete_file_is_joined_with_nothing() -> None:
    contract = "".join(
        f"def {n}(): ...\n" for n in ("forward", "backward", "torch_forward_backward", "verify")
    )
    assert chosen(answer=contract, other=NUMPY + TORCH, layers=LAYERS) == MainFile("answer.py")


HELPERS = "def relu_grad(z): pass\n\ndef softmax_loss(z, y): pass\n\ndef softmax(z): pass\n"
NETWORK = (
    "from {} import {}\n\nclass TwoLayer:\n    def loss(self, x, t): pass\n"
    "    def gradient(self, x, t): pass\n"
)
BLOCKS = "class Linear:\n    def forward(self): pass\n    def backward(self): pass\n"


@pytest.mark.parametrize(
    ("helpers", "taken"), [(HELPERS, "relu_grad, softmax_loss, softmax"), (BLOCKS, "Linear")]
)
def test_the_file_that_brings_others_in_goes_before_what_it_brings(
    helpers: str, taken: str
) -> None:
    both = {"aids": helpers, "net": NETWORK.format("aids", taken)}
    assert chosen(**both).path == "net.py"


def test_classes_that_a_script_imports_together_are_joined() -> None:
    model = "class Model:\n    def forward(self, x): pass\n    def backward(self, g): pass\n"
    script = "from layers import Linear\nfrom models import Model\nModel([Linear()])\n"
    texts = {"layers": BLOCKS, "models": model, "main": script, "unused": BLOCKS}
    assert set(chosen(**texts).parts) == {"layers.py", "models.py"}
    assert chosen(layers=BLOCKS, models=model).parts == (), "no script brings them together"


def test_numerical_gradients_are_no_backward() -> None:
    assert "backward" not in file_facts(files(a="def numerical_gradient(f): ...")[0]).roles


def test_a_module_of_torchs_has_no_numpy_forward() -> None:
    found = file_facts(files(a=NET)[0])
    assert found.methods == {"torch"}


def imported(submission: Submission) -> dict[str, object]:
    """The names of its main file; what it changed in the interpreter is taken back."""
    path, modules = list(sys.meta_path), dict(sys.modules)
    sys.modules["torch"] = stub = ModuleType("torch")  # two seconds, never twice in a process
    stub.__path__ = []
    try:
        given = {f.path: f.data for f in submission.files}
        return dict(vars(loading.load(given, submission.main)[0]))
    finally:
        sys.meta_path[:] = path
        sys.modules.clear()
        sys.modules.update(modules)


def test_joined_parts_have_all_names_and_their_own_lines() -> None:
    given = (
        *files(numpy_part=NUMPY + "def f(): return 'numpy'\n", utils="y = 1\n"),
        *files(torch_part="def torch_grads(): ...\ndef f():\n    return 'torch'\n"),
        *files(verify=f"from utils import y\n{CHECK}"),
    )
    taken = assemble("id", "name", Read(tuple(given), ()))
    assert taken.main == "all_parts.py"
    assert taken.joined == ("torch_part.py", "verify.py", "numpy_part.py")
    assert taken.source.startswith("# Written by the grader")
    names = imported(taken)
    assert names["f"]() == "numpy"  # type: ignore[operator]
    assert names["f_of_torch_part"]() == "torch"  # type: ignore[operator]
    function = names["check_gradients"]
    assert (function.__code__.co_filename, function.__code__.co_firstlineno) == ("verify.py", 2)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "paths",
    [("part-1.py", "part 2.py"), ("v1.0.py", "class.py"), ("numpy/main.py", "torch/main.py"),
     ("src/a.py", "src/b.py"), ("one/x.py", "two/y.py"), ("a.py", "all_parts.py")],
)  # fmt: skip
def test_parts_with_names_no_import_could_spell_are_joined_too(paths: tuple[str, str]) -> None:
    first, second = paths
    given = (SourceFile(first, NUMPY.encode()), SourceFile(second, (TORCH + CHECK).encode()))
    taken = assemble("id", "name", Read(given, ()))
    assert len(taken.joined) == 2
    names = imported(taken)
    assert {"forward_pass", "backprop", "torch_grads", "check_gradients"} <= set(names)


def test_the_joining_file_is_no_part_of_the_digest() -> None:
    given = files(a=NUMPY, b=TORCH)
    whole = assemble("i", "n", Read((*given, join_parts(("a.py", "b.py"), given)), ()))
    assert whole.digest != assemble("i", "n", Read(tuple(given), ())).digest


@pytest.mark.parametrize(
    "text", ["def " * 200_000, " " * 500_000, "from " + "." * 500_000, "import a\n" * 100_000]
)
def test_no_text_takes_long(text: str) -> None:
    started = time.process_time()
    choose([SourceFile("a.py", text.encode())])
    assert time.process_time() - started < 2
