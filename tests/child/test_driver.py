"""The driver as a child uses it: arrays in, arrays or one plain reason out."""

from __future__ import annotations

import json
import linecache
import random
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from grader.child.driver import ARGUMENTS, MESSAGE_CHARS, Driver, start
from grader.records import TENSORS

RIGHT = """
import numpy as np
def forward(X, y, W1, b1, W2, b2):
    return np.float64(X.sum()), {"X": X, "Z1": X @ W1 + b1}
def backward(cache):
    return {t: cache["X"] for t in ("W1", "b1", "W2", "b2", "X")}
def verify(X, y, W1, b1, W2, b2):
    return True
"""


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    """Loading changes the interpreter, which is a child's to keep and not a test's."""
    path, modules, lines = list(sys.meta_path), dict(sys.modules), dict(linecache.cache)
    generators = random.getstate(), np.random.get_state()
    yield
    sys.meta_path[:] = path
    for name in set(sys.modules) - set(modules):
        if name.partition(".")[0] not in ("numpy", "torch"):  # a second import of theirs crashes
            del sys.modules[name]
    linecache.cache.clear()
    linecache.cache.update(lines)
    random.setstate(generators[0])
    np.random.set_state(generators[1])


def inputs() -> dict[str, Any]:
    shapes = {"X": (2, 3), "W1": (3, 4), "b1": (4,), "W2": (4, 5), "b2": (5,)}
    arrays = {n: np.arange(np.prod(s), dtype=float).reshape(s) for n, s in shapes.items()}
    arrays["y"] = np.array([0, 1])
    for array in arrays.values():
        array.flags.writeable = False
    return arrays


def load(driver: Driver, text: str, side: str = "numpy", **names: str) -> dict[str, Any]:
    items = {"side": side, "noise": "1", "main": "a.py", "names": json.dumps(names), "files": "1"}
    return driver.handle(
        "load", {**items, "path0": "a.py", "data0": text.encode(), "max_bytes": "65536"}
    )


def loaded(text: str, side: str = "numpy", **names: str) -> Driver:
    driver = Driver()
    answer = load(driver, text, side, **names)
    assert "ended" not in answer, answer
    return driver


def ask(
    driver: Driver, kind: str, *flags: str, handle: str = "h", room: int = 1 << 16
) -> dict[str, Any]:
    given = {} if kind == "backward" else inputs()
    more = {"handle": handle, "max_bytes": str(room), **dict.fromkeys(flags, "yes")}
    return driver.handle(kind, {**given, **more})


def report(answer: dict[str, Any]) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(answer["report"])
    return loaded


def functions(answer: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [tuple(function.values()) for function in report(answer)["functions"]]


def frames(answer: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [tuple(frame.values()) for frame in json.loads(answer["frames"])]


# ── load ─────────────────────────────────────────────────────────────────────


def test_loading_names_the_functions_with_their_lines_and_stubs() -> None:
    text = f"{RIGHT}\ndef gradient_check(*a):\n    pass\n"
    assert functions(load(Driver(), text)) == [
        ("forward", 3, False),
        ("backward", 5, False),
        ("verify", 7, False),
        ("gradient_check", 10, True),
    ]


def test_an_imported_function_of_the_contract_counts_as_defined() -> None:
    files = {
        "path0": "a.py",
        "data0": b"from b import forward",
        "path1": "b.py",
        "data1": RIGHT.encode(),
    }
    items = {"side": "numpy", "noise": "1", "main": "a.py", "names": "{}", "files": "2", **files}
    answer = Driver().handle("load", {**items, "max_bytes": "65536"})
    assert functions(answer) == [("forward", 0, False)]


def test_a_syntax_error_is_told_with_its_place() -> None:
    answer = load(Driver(), "x = 1\ndef forward(:\n")
    assert answer["ended"] == "raised"
    assert answer["error"].startswith("SyntaxError")
    assert frames(answer)[-1][:2] == ("a.py", 2)


def test_a_traceback_shows_the_submissions_frames_and_none_of_ours() -> None:
    driver = loaded("def forward(*a):\n    return inner()\n\ndef inner():\n    return 1 / 0\n")
    answer = ask(driver, "forward")
    assert answer["error"] == "ZeroDivisionError: division by zero"
    assert frames(answer) == [("a.py", 2, "forward"), ("a.py", 5, "inner")]
    assert "driver.py" not in answer["traceback"]
    assert "return 1 / 0" in answer["traceback"]


def test_a_demo_that_raises_leaves_the_definitions() -> None:
    driver = Driver()
    answer = load(driver, f"{RIGHT}\nraise RuntimeError('demo')\n")
    assert report(answer)["notes"][0][2] == "RuntimeError"
    assert "loss" in ask(driver, "forward")


def test_modules_that_are_not_there_are_named() -> None:
    answer = load(Driver(), f"import matplotlib_x.pyplot\n{RIGHT}")
    assert report(answer)["stand_ins"] == ["matplotlib_x", "matplotlib_x.pyplot"]


def test_the_generators_start_where_the_judge_says() -> None:
    text = "import random\nimport numpy as np\ndef forward(*a): return np.random.rand() + random.random(), 0"
    values = {float(ask(loaded(text), "forward")["loss"]) for _ in range(2)}
    assert len(values) == 1


# ── calls ────────────────────────────────────────────────────────────────────


def test_a_forward_and_its_backward() -> None:
    driver = loaded(RIGHT)
    forward = ask(driver, "forward", "want_cache", "want_inputs")
    assert forward["loss"] == 15
    assert report(forward)["loss_type"] == "float64"
    assert report(forward)["paths"] == ["cache['X']", "cache['Z1']"]
    np.testing.assert_array_equal(forward["cache0"], inputs()["X"])
    assert all(np.array_equal(forward[f"after_{n}"], inputs()[n]) for n in ARGUMENTS)
    backward = ask(driver, "backward")
    assert set(TENSORS) <= set(backward)
    assert report(backward)["problems"] == {}


def test_each_backward_gets_the_cache_of_its_forward() -> None:
    driver = loaded("n = [0]\ndef forward(*a):\n    n[0] += 1\n    return 0.0, n[0]\n"
                    "def backward(c): return {t: [float(c)] for t in ('W1','b1','W2','b2','X')}")  # fmt: skip
    for handle in ("a", "b"):
        ask(driver, "forward", handle=handle)
    assert [ask(driver, "backward", handle=h)["X"][0] for h in ("a", "b", "a")] == [1, 2, 1]


def test_a_submission_that_changes_its_arguments_harms_itself_only() -> None:
    driver = loaded("def forward(X, *a):\n    X *= 2\n    return X.sum(), None")
    first, second = ask(driver, "forward", "want_inputs"), ask(driver, "forward")
    assert first["loss"] == second["loss"] == 30
    np.testing.assert_array_equal(first["after_X"], 2 * inputs()["X"])


def test_the_candidates_own_names_are_used() -> None:
    driver = loaded("def fwd(*a): return 1.0, 0", forward="fwd")
    assert ask(driver, "forward")["loss"] == 1


@pytest.mark.parametrize("kind", ["forward", "backward", "torch", "verify"])
@pytest.mark.parametrize(
    "text", ["x = 1", "forward = backward = torch_forward_backward = verify = 3"]
)
def test_a_function_that_is_not_there_is_missing(kind: str, text: str) -> None:
    assert ask(loaded(text), kind) == {"ended": "missing"}


def test_nothing_loaded_is_missing_too() -> None:
    assert ask(Driver(), "forward")["ended"] == "missing"


@pytest.mark.parametrize(
    ("returned", "words"),
    [
        ("None", "None"), ("1.0", "float"), ("(1.0,)", "tuple of 1"), ("(None, 0)", "the loss is None"),
        ("('x', 0)", "the loss"), ("(object(), 0)", "the loss"), ("(1j, 0)", "the loss"),
    ],
)  # fmt: skip
def test_a_forward_that_returns_something_else_is_told_what(returned: str, words: str) -> None:
    answer = ask(loaded(f"def forward(*a): return {returned}"), "forward")
    assert answer["ended"] == "bad-return"
    assert words in answer["error"]


@pytest.mark.parametrize(
    ("raised", "ended"),
    [
        ("ValueError()", "raised"), ("SystemExit(0)", "raised"), ("KeyboardInterrupt()", "raised"),
        ("GeneratorExit()", "raised"), ("MemoryError()", "memory-limit"), ("RecursionError()", "raised"),
    ],
)  # fmt: skip
def test_whatever_is_raised_becomes_an_answer(raised: str, ended: str) -> None:
    answer = ask(loaded(f"def forward(*a): raise {raised}"), "forward")
    assert answer["ended"] == ended


def test_a_return_far_larger_than_any_right_one_is_refused() -> None:
    driver = loaded("import numpy as np\ndef forward(*a): return np.zeros(10**6), 0")
    answer = ask(driver, "forward")
    assert answer["ended"] == "bad-return"
    assert "(1000000,)" in answer["error"]


def test_keys_as_long_as_a_flood_are_no_cache() -> None:
    driver = loaded("def forward(X, *_):\n    return 0.0, {'k' * (1 << 20): X}\n")
    answer = ask(driver, "forward", "want_cache")
    assert answer["ended"] == "bad-return"
    assert len(answer["error"]) < 100


def test_of_a_large_cache_what_fits_is_kept() -> None:
    driver = loaded(
        "import numpy as np\ndef forward(*a): return 1.0, [np.ones(3), np.zeros(10**6), np.ones(4)]"
    )
    answer = ask(driver, "forward", "want_cache")
    assert answer["loss"] == 1
    assert "cache0" in answer
    assert "cache1" not in answer
    np.testing.assert_array_equal(answer["cache2"], np.ones(4))


def test_a_message_that_quotes_endless_keys_is_cut() -> None:
    driver = loaded("def forward(*a): return 1.0, 0\ndef backward(c): return {'k' * 10**6: 1}")
    ask(driver, "forward")
    answer = ask(driver, "backward")
    assert answer["ended"] == "bad-return"
    assert len(answer["error"]) <= MESSAGE_CHARS


@pytest.mark.parametrize(
    ("body", "accepted"),
    [("return True", True), ("return False", False), ("assert False, 'W1 differs'", False),
     ("assert True", True), ("return {'W1': False}", False)],
)  # fmt: skip
def test_what_verify_says(body: str, accepted: bool) -> None:
    answer = ask(loaded(f"def verify(*a):\n    {body}"), "verify")
    assert bool(answer["accepted"]) is accepted


def test_a_verify_that_breaks_has_no_verdict() -> None:
    answer = ask(loaded("def verify(*a):\n    raise KeyError('x')"), "verify")
    assert answer["ended"] == "raised"
    assert "accepted" not in answer


# ── frameworks in the NumPy part ─────────────────────────────────────────────

SWALLOWS = """
import jax
def forward(*a):
    try:
        jax.grad(1)
    except Exception:
        pass
    return 1.0, 0
def backward(cache):
    raise ValueError("mine")
"""


def test_a_framework_in_the_numpy_part_is_its_own_ending() -> None:
    answer = ask(loaded("import jax\ndef forward(*a): return jax.numpy.ones(3), 0"), "forward")
    assert answer["ended"] == "framework"
    assert "jax.numpy.ones" in answer["error"]


def test_a_framework_on_the_other_side_is_only_missing() -> None:
    driver = loaded(
        "import jax\ndef torch_forward_backward(*a): return jax.numpy.ones(3), {}", "torch"
    )
    assert ask(driver, "torch")["ended"] != "framework"


def test_an_error_after_a_swallowed_use_is_an_error_of_its_own() -> None:
    driver = loaded(SWALLOWS)
    assert "ended" not in ask(driver, "forward")
    answer = ask(driver, "backward")
    assert answer["ended"] == "raised"
    assert answer["error"] == "ValueError: mine"


def test_each_child_starts_with_a_driver_of_its_own() -> None:
    first, second = start(), start()
    assert first.__self__ is not second.__self__  # type: ignore[attr-defined]
