"""A module that is not there does no harm, and a framework in the NumPy part does no work."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from grader.child import standin
from grader.child.standin import FRAMEWORKS, FrameworkUsed, StandInFinder, Switch

ABSENT = ("jax", "tensorflow", "keras", "mxnet", "theano", "tinygrad", "matplotlib", "seaborn_x")


@pytest.fixture
def switch() -> Iterator[Switch]:
    """A switch whose finder is last; the modules that it stood in for are gone afterwards."""
    one, modules = Switch(), dict(sys.modules)
    finder = StandInFinder(one)
    sys.meta_path.append(finder)
    yield one
    sys.meta_path.remove(finder)
    sys.modules.clear()
    sys.modules.update(modules)


def run(text: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(text, names)
    return names


TOP = """
import {m}
import {m}.nn as nn, {m}.nn.functional as F
from {m} import Tensor, no_grad, optim
from {m}.utils.data import DataLoader as Loader

{m}.manual_seed(0)
device = {m}.device("cuda" if {m}.cuda.is_available() else "cpu")

class Net(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.linear = nn.Linear(size, size)

    @{m}.no_grad()
    def forward(self, x):
        return x + 1

@no_grad()
def plain(x: Tensor) -> Tensor:
    return x * 3

with {m}.no_grad():
    y = F.relu(Loader)
"""


@pytest.mark.parametrize("module", [m for m in ABSENT if m not in sys.modules])
def test_a_files_top_may_name_subclass_and_decorate(switch: Switch, module: str) -> None:
    names = run(TOP.format(m=module))
    assert module in switch.stood_in
    switch.armed = False
    assert names["Net"](3).forward(1) == 2
    assert names["plain"](2) == 6


def test_functions_under_a_bare_decorator_of_a_missing_module_still_work(switch: Switch) -> None:
    names = run(
        "from numba_x import njit\n@njit\ndef f(x): return x + 1\n"
        "@njit(cache=True)\ndef g(x): return x + 2"
    )
    switch.armed = True
    assert (names["f"](1), names["g"](1)) == (2, 3)


def test_a_missing_module_stays_harmless_when_the_switch_is_on(switch: Switch) -> None:
    names = run("import matplotlib_x.pyplot as plt\nfrom tqdm_x import tqdm")
    switch.armed = True
    names["plt"].plot([1], label="x").legend()
    assert list(names["tqdm"](range(3))) == [0, 1, 2]
    assert switch.used == []


@pytest.mark.parametrize(
    "use",
    ["jax.numpy.ones(3)", "jax.grad(f)", "jax.Array()", "jax.random.key(0)", "early(1)", "list(made)",
     "made[0]", "compiled(1)"],
)  # fmt: skip
def test_calling_a_framework_with_the_switch_on_raises_and_is_noted(
    switch: Switch, use: str
) -> None:
    top = "import jax\ndef f(x): return x\nearly, made = jax.grad(f), jax.numpy.ones(3)\n"
    names = run(f"{top}@jax.jit\ndef compiled(x): return x")
    switch.armed = True
    with pytest.raises(FrameworkUsed, match="jax"):
        eval(use, names)
    assert switch.used


def test_naming_a_framework_with_the_switch_on_is_no_use(switch: Switch) -> None:
    names = run("import jax")
    switch.armed = True
    run_in = "isinstance(1, jax.Array), jax.numpy, jax.float32, hasattr(jax, 'anything')"
    assert eval(run_in, names)[0] is False
    assert switch.used == []


def test_a_stand_in_is_no_array(switch: Switch) -> None:
    value = run("import jax\nvalue = jax.numpy.ones(3)")["value"]
    with pytest.raises(FrameworkUsed, match="not available"):
        np.asarray(value)


LENIENT = """
import pandas_x as pd, sklearn_x.metrics as metrics, torch_x
df = pd.read_csv("data.csv")
X = df.values[:, 1:] / 255.0 + np.ones(3) @ df.weights
acc = metrics.accuracy_score(X, X)
loss = 0.5 * acc ** 2 - acc
print(f"accuracy {acc:.3f}", round(acc, 2), float(acc), int(acc), abs(-acc))
while loss > 1e-3:
    loss = loss / 2
best = np.argmax(np.exp(df.scores), axis=1)
df["x"] = 1
df.loc[0] += 2
for batch in df: pass
for i in pd.CONSTANTS: pass
with pd.option_context(): pass
assert metrics.ok(X)
def f(x: pd.DataFrame | None, y: pd.Array[int]): return 1
"""


def test_a_demo_goes_on_with_what_is_no_number_while_a_file_is_loaded(switch: Switch) -> None:
    names: dict[str, Any] = {"np": np}
    with standin.lenience():
        exec(LENIENT, names)
    assert names["f"](None, 1) == 1


@pytest.mark.parametrize(
    "use",
    ["np.asarray(value)", "np.exp(value)", "value + 1", "1 - value", "np.ones(2) @ value", "float(value)",
     "value > 1", "-value", "np.sum(value)", "round(value)", "range(value)", "module.pi * 2",
     "np.zeros(2) + module.pi", "sum(x for x in module.rows)"],
)  # fmt: skip
@pytest.mark.parametrize("armed", [True, False])
def test_a_module_that_is_not_there_gives_no_number_to_a_function(
    use: str, armed: bool, switch: Switch
) -> None:
    text = "import utils_x as module\n\nvalue = module.softmax([1.0])\n"
    names: dict[str, Any] = {"np": np}
    exec(compile(text, "a.py", "exec"), names)
    switch.armed = armed
    with pytest.raises(
        ModuleNotFoundError, match=r"line 1 of a\.py imports `utils_x`, which was not handed in"
    ):
        eval(use, names)
    assert switch.used == []


def test_a_package_that_is_well_known_is_not_called_forgotten(switch: Switch) -> None:
    value = run("import xgboost\nvalue = xgboost.fit()")["value"]
    with pytest.raises(ModuleNotFoundError, match="not installed here"):
        float(value)


@pytest.mark.parametrize(
    ("text", "given"),
    [("tqdm([1, 2])", [1, 2]), ("tqdm(iterable=range(2))", [0, 1]), ("trange(3)", [0, 1, 2]),
     ("tqdm(zip('ab', 'cd'))", [("a", "c"), ("b", "d")]), ("tqdm(total=3)", []),
     ("enumerate(tqdm('ab'))", [(0, "a"), (1, "b")])],
)  # fmt: skip
def test_a_progress_bar_gives_back_what_it_is_handed(
    text: str, given: list[Any], switch: Switch
) -> None:
    names = run("from tqdm_x import tqdm, trange")
    switch.armed = True
    assert list(eval(text, names)) == given


def test_a_progress_bar_may_be_asked_and_told_things(switch: Switch) -> None:
    bar = run("from tqdm_x import tqdm\nbar = tqdm(range(4), desc='x')")["bar"]
    assert len(bar) == 4
    bar.set_postfix(loss=1)
    bar.update(1)
    assert bool(bar)


def test_classes_under_a_bare_decorator_stay_classes(switch: Switch) -> None:
    names = run("from attr_x import s\n@s\nclass A:\n    def f(self): return 1")
    assert names["A"]().f() == 1


def test_a_version_can_be_looked_at(switch: Switch) -> None:
    assert (
        run("import jax\nok = tuple(map(int, jax.__version__.split('.'))) >= (2, 0)")["ok"] is False
    )


def test_is_tensor_is_false(switch: Switch) -> None:
    assert run("import jax\nx = jax.is_tensor(1)")["x"] is False


@pytest.mark.parametrize("name", ["jsonn.x", "os.nothing", "json.nothing", "numpy.nothing"])
def test_a_part_of_a_module_that_is_there_is_still_missing(switch: Switch, name: str) -> None:
    if name.startswith("jsonn"):
        assert importlib.import_module(name)
    else:
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module(name)


def test_a_module_of_the_standard_library_is_never_stood_in_for() -> None:
    finder = StandInFinder(Switch())
    assert all(
        finder.find_spec(name) is None for name in ("json", "tkinter", "idlelib", "_missing_x.y")
    )


def test_what_is_there_is_found_first(switch: Switch) -> None:
    assert run("import json, numpy")["json"] is sys.modules["json"]
    assert switch.stood_in == []


def test_frameworks_are_those_with_an_autograd() -> None:
    assert {"torch", "jax", "tensorflow", "autograd"} <= set(FRAMEWORKS)
    assert "numpy" not in FRAMEWORKS
    assert "scipy" not in FRAMEWORKS


def test_dunders_are_not_invented(switch: Switch) -> None:
    """`copy`, `pickle` and NumPy ask for protocols by such names."""
    value = standin.make(switch, "x.y")
    for holder in (value, value(), run("import missing_x")["missing_x"]):
        assert not hasattr(holder, "__array_interface__")
        assert not hasattr(holder, "__length_hint__")
