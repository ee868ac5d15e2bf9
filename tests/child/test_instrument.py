"""Instrumented code does what the plain code does, whatever its syntax, and tells every value."""

from __future__ import annotations

import builtins
import sys
import textwrap
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from grader.child.instrument import KINDS, Entry, instrument
from grader.child.tracing import Recorder
from grader.problem import set_paper
from grader.records import TENSORS

ROOT = Path(__file__).parents[2]
SAMPLES = sorted([*(ROOT / "submissions").glob("*/solution.py"), ROOT / "reference/solution.py"])
CASES = set_paper(5).cases


@pytest.fixture(autouse=True)
def recorder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    """A recorder whose reporters are builtins for one test, listening all the while."""
    own = Recorder()
    for name, reporter in (("see", own.see), ("hold", own.hold), ("held", own.held)):
        monkeypatch.setattr(builtins, f"__{name}__", reporter, raising=False)
    with own.during("forward"):
        yield own


def run(code: Any, name: str = "zoo") -> ModuleType:
    module = ModuleType(name)
    sys.modules[name] = module
    try:
        exec(code, module.__dict__)
    finally:
        del sys.modules[name]
    return module


def both(text: str) -> tuple[ModuleType, ModuleType]:
    source = textwrap.dedent(text).encode()
    plain = compile(source, "zoo.py", "exec", dont_inherit=True)
    return run(plain), run(instrument(source, "zoo.py")[0])


def values(text: str, own: Recorder) -> dict[str, Any]:
    """The last value of every place, by its source."""
    source = textwrap.dedent(text).encode()
    code, table = instrument(source, "zoo.py")
    run(code)
    lines = source.decode().splitlines()
    found = {}
    for (_, number), (_, _, first, _, last) in own.slots.items():
        entry = table[number]
        lines_of = lines[entry.line - 1 : entry.end_line]
        lines_of[-1] = lines_of[-1][: entry.end_col]
        lines_of[0] = lines_of[0][entry.col :]
        found[" ".join(lines_of)] = (last or first)[1].tolist()
    return found


# ── nothing changes ──────────────────────────────────────────────────────────

ZOO = {
    "arithmetic": "x = 3\nresult = -x ** 2 // 2 % 5 + x @ x if False else ~x << 1",
    "short circuits": "seen = []\ndef f(v):\n    seen.append(v)\n    return v\n"
    "result = (f(0) and f(1), f(2) or f(3), f(0) or f('') or f(None), seen)",
    "chained comparison": "calls = []\ndef f(v):\n    calls.append(v)\n    return v\n"
    "result = (f(1) < f(2) < f(3), f(3) < f(2) < f(1), calls)",
    "conditional": "n = [0]\ndef f():\n    n[0] += 1\n    return n[0]\nresult = (f() if n else f(), f() if not n else -1, n)",
    "lambda": "scale = 3\nf = lambda x, *a, k=scale, **kw: (x * k, a, kw)\nresult = f(1, 2, z=4)",
    "comprehensions": "a = range(4)\nresult = ([x * y for x in a if x % 2 for y in a], {x: x**2 for x in a}, {x // 2 for x in a}, sum(x + 1 for x in a))",
    "comprehension of a class": "class A:\n    n = 3\n    a = [i for i in range(n)]\nresult = A.a",
    "comprehension into a part": "d = [0]\nresult = [d[0] + x for x in (1, 2)], [d for d[0] in (1, 2)][0], d",
    "walrus": "a = [1, 2, 3]\nresult = [y for x in a if (y := x * 2) > 2], y, (n := len(a)) + n",
    "star arguments": "def f(*a, **k): return a, k\na, k = (1, 2), {'z': 3}\nresult = f(0, *a, *a[1:], **k, y=a[0])",
    "star targets": "first, *rest = range(5)\n(a, b), [c, *d] = (1, 2), 'xyz'\nresult = first, rest, a, b, c, d",
    "nested functions": "def outer(x):\n    def inner(y):\n        return x + y + len(inner.__name__)\n    return inner(2)\nresult = outer(1)",
    "closure": "def counter():\n    n = 0\n    def step():\n        nonlocal n\n        n += 1\n        return n\n    return step\nc = counter()\nresult = c(), c(), c()",
    "global": "total = 0\ndef add(v):\n    global total\n    total += v\n    return total\nresult = add(1), add(2), total",
    "class body": "class A:\n    x = 1\n    y = x + 1\n    x += y\n    def get(self): return self.x\nresult = A().get(), A.y, sorted(k for k in vars(A) if not k.startswith('__'))",
    "property": "class A:\n    asked = 0\n    @property\n    def x(self):\n        A.asked += 1\n        return [1, 2]\na = A()\na.x[0] = 5\na.x[1] += 2\nresult = a.x, A.asked",
    "attribute in place": "class A:\n    asked = 0\n    def __init__(self): self._v = 1\n    @property\n    def v(self):\n        A.asked += 1\n        return self._v\n    @v.setter\n    def v(self, new): self._v = new\na = A()\na.v += 3\na.w = 1\na.w += a.v\nresult = a._v, a.w, A.asked",
    "mangled names": "class A:\n    def __init__(self):\n        self.__x = 1\n        self.__x += 2\n        self.__d = {'k': 1}\n        self.__d['k'] += 1\n        __y = 5\n        __y += 1\n        self.z = __y\n    def get(self): return self.__x, self.__d, self.z\nresult = A().get()",
    "super": "class A:\n    def f(self, x): return x + 1\nclass B(A):\n    def f(self, x): return super().f(x) * 2\n    @classmethod\n    def g(cls): return super().__name__ if hasattr(super(), '__name__') else cls.__name__\n    def h(self): return __class__.__name__\nresult = B().f(3), B.g(), B().h()",
    "slots": "class A:\n    __slots__ = ('x',)\na = A()\na.x = 1\na.x += 1\nresult = a.x",
    "slices": "import numpy as np\na = np.arange(24.0).reshape(2, 3, 4)\na[..., 1:3] *= 2\na[0, :, ::-1][..., None] += 1\na[:, [0, 2], -1] = 7\nresult = a.tolist(), a[..., -1].tolist(), a[None, 0].shape",
    "matrix product in place": "import numpy as np\na = np.eye(2) * 2\na @= np.ones((2, 2))\nresult = a.tolist()",
    "resize": "import numpy as np\na = np.arange(6.0)\na.resize((2, 3))\nresult = a.tolist()",
    "views": "import numpy as np\na = np.zeros((2, 2))\nb = a.T\nb[0, 1] = 3\na[a > 0] -= 1\nresult = a.tolist(), b.base is a",
    "dictionary parts": "d = {'a': 1, 'b': {'c': [1, 2]}}\nd['a'] += 1\nd['b']['c'][0] += 5\nd['n'], d['m'] = 1, 2\nresult = d",
    "evaluated once": "log = []\ndef at(n):\n    log.append(n)\n    return d if n == 'd' else 0\nd = [1]\nat('d')[at('k')] += 2\nat('d')[at('k')] = d[0] + 1\nresult = d, log",
    "own __setitem__": "class D(dict):\n    log = []\n    def __getitem__(self, k):\n        D.log.append(('get', k))\n        return super().__getitem__(k)\n    def __setitem__(self, k, v):\n        D.log.append(('set', k))\n        super().__setitem__(k, v)\nd = D()\nd['x'] = 1\nd['x'] += 1\nresult = d, D.log",
    "try": "def f(x):\n    try:\n        return 1 / x\n    except (ZeroDivisionError, ValueError) as error:\n        return str(error)\n    else:\n        return 2\n    finally:\n        log.append(x)\nlog = []\nresult = f(1), f(0), log",
    "except groups": "def f():\n    try:\n        raise ExceptionGroup('g', [ValueError(1), TypeError(2)])\n    except* ValueError as e:\n        a = len(e.exceptions)\n    except* TypeError:\n        pass\n    return a\nresult = f()",
    "with": "from contextlib import contextmanager\n@contextmanager\ndef c(v):\n    yield v + 1\nwith c(1) as a, c(a) as b:\n    result = a, b",
    "generators": "def g(n):\n    got = yield n\n    while n:\n        n -= 1\n        got = yield n + (got or 0)\n    return 'end'\ndef h():\n    x = yield from g(3)\n    yield x\nresult = list(h())",
    "lazy": "def g():\n    log.append('start')\n    yield 1\nlog = []\nlater = g()\nbefore = list(log)\nresult = before, list(later), log, next(iter(map(str, (1, 2))))",
    "async": "import asyncio\nclass C:\n    async def __aenter__(self): return 1\n    async def __aexit__(self, *a): return None\nasync def g():\n    for i in range(3):\n        yield i\nasync def f(x):\n    await asyncio.sleep(0)\n    async with C() as c:\n        return [i * x + c async for i in g()]\nresult = asyncio.run(f(2))",
    "type hints": "from typing import get_type_hints\nx: 'int' = 1\ny: list[int] = [x + 1]\nz: int\ndef f(a: int, *b: str, c: float = 1.0) -> dict[str, int]: return {}\nclass A:\n    v: int = 3\n    w: 'A'\nresult = x, y, get_type_hints(f), A.__annotations__, __annotations__",
    "postponed hints": "from __future__ import annotations\ndef f(a: nowhere[0] + 1) -> 'x': ...\nresult = f.__annotations__",
    "future after a docstring": "'''About.'''\nfrom __future__ import annotations\nresult = __doc__, annotations.optional",
    "docstrings": "def f():\n    'What it does.'\n    return 1\nclass A:\n    '''Of the class.'''\nresult = f.__doc__, A.__doc__",
    "decorators": "def twice(f): return lambda *a: f(f(*a))\ndef times(n):\n    return lambda f: lambda x: n * f(x)\n@twice\n@times(3)\ndef f(x): return x + 1\nresult = f(1)",
    "dataclass": "from dataclasses import dataclass, field\n@dataclass(frozen=True)\nclass A:\n    x: int\n    y: list = field(default_factory=list)\n    z: int = 1 + 1\nresult = A(1), A(1) == A(1)",
    "enum and named tuple": "from enum import Enum\nfrom typing import NamedTuple\nclass E(Enum):\n    A = 1\n    B = A + 1\nclass P(NamedTuple):\n    x: int\n    y: int = 2\nresult = list(E), P(1), P(1)._asdict()",
    "match": "class P:\n    __match_args__ = ('x',)\n    def __init__(self, x): self.x = x\nONE = type('N', (), {'v': 1})\ndef f(v):\n    match v:\n        case ONE.v: return 'one'\n        case -1 | 2.5 | 'a' | None: return 'literal'\n        case [a, *rest] if len(rest) > 1: return a, rest\n        case {'k': k, **more}: return k, more\n        case P(x=3) | P(4): return 'point'\n        case (a, b) as pair: return pair\n        case _: return 'other'\nresult = [f(v) for v in (1, -1, None, [1, 2, 3], {'k': 1, 'z': 2}, P(3), P(4), (1, 2), 99)]",
    "f-strings": "x = 3\nresult = f'{x + 1:>{x}} {x=} {x!r} {\"n\" + str(x)}'",
    "defaults": "n = [1]\ndef f(a=n, *, b=n[0] + 1): return a, b\nn = 5\nresult = f()",
    "locals": "def f(a):\n    b = a + 1\n    b += 1\n    return dict(locals())\ndef g(*, k): return sorted(vars()), dir()\nresult = f(1), g(k=2), sorted(n for n in dir() if 'see' in n or 'hold' in n), 'see' in str(list(globals()))",
    "del": "d = {'a': 1}\nx = [1, 2, 3]\ndel d['a'], x[0]\ny = 1\ndel y\nresult = d, x, 'y' in globals()",
    "loops": "result = []\nfor i in range(5):\n    if i == 1: continue\n    if i == 4: break\n    result.append(i)\nelse:\n    result.append('no')\nwhile len(result) < 5:\n    result += [0]\nelse:\n    result.append('end')",
    "assert": "def f(x):\n    assert x > 0, f'not {x}'\n    return x\ntry:\n    f(-1)\nexcept AssertionError as e:\n    result = str(e)",
    "raise from": "try:\n    try:\n        1 / 0\n    except ZeroDivisionError as e:\n        raise ValueError('x') from e\nexcept ValueError as e:\n    result = repr(e.__cause__)",
    "unicode": "größe, Δ = 3, 0.5\nstrich = 'ä€𝄞'; result = größe * Δ, strich[1], len(strich)",
    "an array of truth": "import numpy as np\na = np.array([1, 2])\ntry:\n    a and 1\nexcept ValueError as e:\n    result = str(e)",
    "identity": "a = 257\nb = [a]\nresult = (b[0] is a, (lambda v: v is a)(b[0]), [] is [])",
    "unbound": "def f():\n    x += 1\ntry:\n    f()\nexcept UnboundLocalError as e:\n    result = str(e)",
    "frames": "import inspect\ndef f(): return inspect.currentframe().f_back.f_code.co_name, inspect.stack()[1].function\ndef caller(): return f()\nresult = caller()",
    "recursion": "def f(n): return 1 if n == 0 else n * f(n - 1)\nresult = f(200)",
    "parts under recursion": "d = {}\ndef f(n):\n    d[n] = f(n - 1) + 1 if n else 0\n    return d[n]\nresult = f(5), d",
    "one line": "if True: x = 1; x += 1; d = [x]; d[0] *= 2\nresult = x, d",
    "context variables": "import numpy as np\nwith np.errstate(all='raise'):\n    try:\n        np.log(np.array(0.0))\n    except FloatingPointError as e:\n        result = str(e)",
}  # fmt: skip


@pytest.mark.parametrize("text", ZOO.values(), ids=ZOO.keys())
def test_the_meaning_stays(text: str) -> None:
    plain, seen = both(text)
    assert repr(seen.result) == repr(plain.result)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="syntax of Python 3.12")
def test_type_parameters_stay() -> None:
    plain, seen = both("type A[T] = list[T]\ndef f[T: int](x: T) -> T: return x + 1\nresult = f(1)")
    assert seen.result == plain.result


def run_network(module: ModuleType) -> list[Any]:
    answers: list[Any] = []
    for name in ("primes", "square", "float32"):
        inputs = [a.copy() for a in CASES[name].inputs.values()]
        loss, cache = module.forward(*inputs)
        gradients = module.backward(cache)
        theirs = module.torch_forward_backward(*inputs)
        answers += [loss, *inputs, theirs[0], *(gradients[t] for t in TENSORS)]
        answers += [theirs[1][t] for t in TENSORS]
    return answers


@pytest.mark.parametrize("path", SAMPLES, ids=lambda p: p.parent.name)
def test_a_submission_gives_the_same_bits(path: Path) -> None:
    source = path.read_bytes()
    try:
        plain = run(compile(source, "solution.py", "exec", dont_inherit=True))
        want = run_network(plain)
    except Exception:
        pytest.skip("this sample does not run through")
    got = run_network(run(instrument(source, "solution.py")[0]))
    for a, b in zip(got, want, strict=True):
        assert type(a) is type(b)
        a, b = (np.asarray(v.detach() if hasattr(v, "detach") else v) for v in (a, b))
        assert a.dtype == b.dtype
        assert a.shape == b.shape
        np.testing.assert_array_equal(a, b)


def test_tracebacks_keep_their_lines() -> None:
    text = (
        "def f(x):\n    y = x\n\n    return (\n        y +\n        1 / 0\n    )\n\nf(\n    2\n)\n"
    )
    rows = []
    for code in (compile(text, "zoo.py", "exec"), instrument(text.encode(), "zoo.py")[0]):
        with pytest.raises(ZeroDivisionError) as caught:
            run(code)
        frames = traceback.extract_tb(caught.value.__traceback__)
        rows.append([(f.lineno, f.name) for f in frames if f.filename == "zoo.py"])
    assert rows[0] == rows[1] == [(9, "<module>"), (6, "f")]


# ── what is told ─────────────────────────────────────────────────────────────


def test_every_array_expression_is_told(recorder: Recorder) -> None:
    text = """
    import numpy as np
    Z, d = np.array([[1.0, -2.0]]), {"g": np.array([[3.0, 4.0]])}
    y = d["g"] * (Z > 0) if len(Z) else None
    """
    told = values(text, recorder)
    assert told["Z > 0"] == [[1, 0]]
    assert told['d["g"]'] == [[3, 4]]
    assert told['d["g"] * (Z > 0)'] == [[3, 0]]
    assert told['d["g"] * (Z > 0) if len(Z) else None'] == [[3, 0]]
    assert told["len(Z)"] == 1


@pytest.mark.parametrize(
    ("statement", "value"),
    [
        ("a[a > 2] = 0", [1, 2, 0]), ("a += 1", [2, 3, 4]), ("a[0] *= 5", [5, 2, 3]),
        ("o.w += a", [2, 4, 6]), ("d['k'] -= a", [9, 8, 7]), ("d['k'][1:] = 0", [10, 0, 0]),
        ("o.w[0] = 7", [7, 2, 3]), ("a[1:][0] = 9", [9, 3]),
    ],
)  # fmt: skip
def test_changes_in_place_are_told(statement: str, value: list[float], recorder: Recorder) -> None:
    text = "import numpy as np\nclass O: pass\na, o = np.array([1.0, 2.0, 3.0]), O()\n"
    text += f"o.w, d = a.copy(), {{'k': np.full(3, 10.0)}}\n{statement}\n"
    assert values(text, recorder)[statement] == value


def test_before_and_after_a_variable_changes(recorder: Recorder) -> None:
    told = values("x = 8.0\nx /= 2.0\n", recorder)
    assert told == {"x": 8.0, "x /= 2.0": 4.0}


def test_what_was_told_does_not_change_with_the_array(recorder: Recorder) -> None:
    told = values("import numpy as np\na = np.zeros(2) + 1\na[:] = 5\n", recorder)
    assert told["np.zeros(2) + 1"] == [1, 1]


def test_first_last_and_count(recorder: Recorder) -> None:
    source = b"t = 0.0\nfor i in range(4):\n    t = t + i\n"
    code, table = instrument(source, "zoo.py")
    run(code)
    number = next(i for i, e in enumerate(table) if KINDS[e.kind] == "add")
    count, order, first, last_order, last = recorder.slots[0, number]
    assert (count, first[1], last[1]) == (4, 0.0, 6.0)
    assert order < last_order


@pytest.mark.parametrize(
    "text",
    ["x = 1", "x = -1", "x = 1 / 3", "'a'", "import numpy as np\nnp.pi", "def f(a=b, *, c: d = e): 'x'",
     "f'{x + y}'", "del x[0], y.z", "class A(b.c): pass", "@a.b\ndef f(): pass", "x: y"],
)  # fmt: skip
def test_what_is_no_value_is_not_told(text: str) -> None:
    assert instrument(text.encode(), "zoo.py")[1] == []


def test_places_are_inside_the_source_and_name_their_function() -> None:
    source = (ROOT / "reference/solution.py").read_bytes()
    lines = source.split(b"\n")
    _, table = instrument(source, "solution.py", 100)
    functions = {entry.function for entry in table}
    assert {"forward", "backward", "Linear.forward", "ReLU.backward"} <= functions
    for entry in table:
        assert isinstance(entry, Entry)
        assert (entry.line, entry.col) < (entry.end_line, entry.end_col)
        assert entry.end_line <= len(lines)
        assert entry.end_col <= len(lines[entry.end_line - 1])


def test_a_parse_error_is_raised_as_it_is() -> None:
    with pytest.raises(SyntaxError):
        instrument(b"def f(:\n", "zoo.py")


def test_other_encodings() -> None:
    source = "# -*- coding: latin-1 -*-\né = 2.0\nresult = é * 3".encode("latin-1")
    code, table = instrument(source, "zoo.py")
    assert run(code).result == 6
    assert [(e.line, e.col) for e in table] == [(3, 9), (3, 9)]


def test_the_recorder_survives_strange_objects(recorder: Recorder) -> None:
    text = """
    import numpy as np
    class Odd:
        __class__ = property(lambda self: 1 / 0)
        def __getattr__(self, name): raise SystemExit
        def __eq__(self, other): raise SystemExit
        __hash__ = None
    class Sub(np.ndarray):
        size = property(lambda self: odd.size)
    odd, sub = Odd(), np.zeros(2).view(Sub)
    odd, sub, 10**400, float("nan"), np.array([None, "x"]), np.datetime64("2020"), 1j, np.ma.masked
    d = {1: 1.0}
    d[1] += 1
    result = d, sub.shape
    """
    plain, seen = both(text)
    assert seen.result == plain.result


def test_kinds_are_those_of_the_tree() -> None:
    source = (
        b"a = x + x\nb = x @ x\nc = x > 0\nd = x.T[0](x)\ne = -x if x else (x or x)\nx[0] = 1\n"
    )
    kinds = {KINDS[e.kind] for e in instrument(source, "zoo.py")[1]}
    unseen = {"subtract", "multiply", "divide", "binary"}
    assert kinds == set(KINDS) - unseen
