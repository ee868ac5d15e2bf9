"""Takes over the child's side and forges its replies: well-formed, rightly numbered, and wrong.

Appended to an honest submission. It lives in the process that answers the judge, so it
can say whatever the wire's format can say; SEED decides what, and how often.
"""

import json
import random
import sys

import numpy as np

SEED = 0
CHANCE = random.Random(SEED)
DTYPES = ("<f8", "<f4", "<i8", "<i4", "u1", "?")
SHAPES = ((), (0,), (1,), (2,), (1, 1), (3, 0), (0, 3), (5, 13), (1, 1, 1, 1), (2, 3, 4, 5))
NUMBERS = (0.0, -0.0, 1.0, -1.0, 1e308, -1e308, 5e-324, np.inf, -np.inf, np.nan, 255, 2**31)
KINDS = ("ok", "ok", "ok", "raised", "bad-return", "missing", "memory-limit", "framework")
UNSPEAKABLE = ("harness", "not-run", "timeout", "crash", "nonsense", "OK")
NAMES = ("loss", "W1", "b1", "W2", "b2", "X", "cache0", "cache1", "after_X", "after_y", "accepted")
WORDS = ("error", "traceback", "frames", "report", "report", "report")
FIELDS = (
    *("functions", "notes", "stand_ins", "binding", "loss_type", "lossless", "cacheless", "paths"),
    *("problems", "failures", "layers", "stopped", "found", "accepts", "accepts_as_is", "by_as_is"),
    *("equalised", "equal", "sides", "different", "verdict", "refusal", "divergence", "trials"),
    *("kind", "name", "asks_step", "case", "place", "number", "tolerance"),
)
PLACES = (
    {"file": "solution.py", "line": 0, "function": "f"},
    {"file": "solution.py", "line": 99999, "function": "f"},
    {"file": "solution.py", "line": -1, "function": "f"},
    {"file": "solution.py", "line": 3, "function": "<script>alert(1)</script>"},
    {"file": "../../etc/passwd", "line": 1, "function": "f"},
    {"file": "solution.py", "line": 10**60, "function": "f"},
)
VALUES = (
    *(None, True, False, 0, -1, 1e308, float("nan"), float("inf"), 10**60, [], {}, [[]], [None]),
    *(["solution.py", 3], ["solution.py", -1], ["/etc/passwd", 1], ["a", "b", "c"], {"W1": ""}),
    [{"name": "forward", "line": 1, "is_stub": True}],
    [{"name": "forward", "line": 99999999999, "is_stub": True}] * 3,
    [{"name": "verify", "line": -5, "is_stub": 1}],
    [{"name": "f" * 300, "line": 1, "is_stub": False}] * 6000,
    [["solution.py", 3, "SyntaxError", "cell 2: <b>"], ["solution.py", -1, "E", ""]],
    [{"kind": "linear", "name": "<i>", "forward": "f", "backward": "g"}] * 9,
    [{"kind": "scale", "amount": 1.01, "tensor": "W1", "outcome": "accepted", "case": "primes"}],
    [{"kind": "scale", "amount": -1e308, "tensor": "b2", "outcome": "refused", "by": "return",
      "case": "square", "file": "solution.py", "line": 2}] * 700,
    {"tensor": "X", "passes": 0.0, "stops": float("inf")},
    *("function", "script", "check", "helper", "comparing", "small", "its own numbers", "return"),
)  # fmt: skip
TEXTS = (
    "",
    "\n",
    ":",
    "{",
    "[" * 9000,
    "NaN",
    '{"paths": ["\\ud800"]}',
    '{"paths": [' + "9" * 5000 + "]}",
    '{"loss_type": "\u0663"}',
    json.dumps(PLACES),
    "\x00\x1b[2J\u202e\ud800\uffff",
    "NotImplementedError: later",
    "it returned None",
    "TypeError: forward() takes 2",
    "SyntaxError: (",
    "W1:\nb1: :\nX: " + "x" * 5000,
    "(" * 3000,
    "{{ 7*7 }}%s%d{0}",
    "=1+1\t\r\n@SUM(A1)",
    "float\nfloat64\nbool",
    "x" * 60000,
)


def any_array():
    array = np.full(CHANCE.choice(SHAPES), CHANCE.choice(NUMBERS))
    with np.errstate(all="ignore"):
        return array.astype(CHANCE.choice(DTYPES))


def any_report():
    """JSON with some of the fields of any report, rightly typed or not."""
    names = CHANCE.sample(FIELDS, CHANCE.randrange(len(FIELDS)))
    return json.dumps({name: CHANCE.choice(VALUES) for name in names})


def twisted_report(text):
    """A report, with one or two of its own fields exchanged."""
    try:
        report = json.loads(text)
        for name in CHANCE.sample(sorted(report), min(len(report), 1 + CHANCE.randrange(2))):
            report[name] = CHANCE.choice((*VALUES, *TEXTS))
        return json.dumps(report)
    except (ValueError, TypeError):
        return any_report()


def twisted(value):
    """Something near `value`: another dtype, shape, number or a text."""
    if not isinstance(value, np.ndarray) and not np.isscalar(value):
        return any_array()
    if isinstance(value, str):
        texts = (CHANCE.choice(TEXTS), any_report(), twisted_report(value), twisted_report(value))
        return CHANCE.choice((*texts, any_array(), b"bytes"))
    value = np.asarray(value)
    with np.errstate(all="ignore"):
        forms = (
            any_array,
            lambda: CHANCE.choice(TEXTS),
            lambda: value.astype(CHANCE.choice(DTYPES)),
            lambda: value[None],
            lambda: value.reshape(-1),
            lambda: value.T,
            lambda: np.zeros_like(value),
            lambda: value * CHANCE.choice(NUMBERS),
            lambda: np.full(value.shape, CHANCE.choice(NUMBERS)),
            lambda: value.reshape(-1)[:0],
        )
        return CHANCE.choice(forms)()


def forged(kind, items):
    """A reply in place of the true one."""
    items = dict(items)
    for name in list(items):
        if CHANCE.random() < 0.4:
            items[name] = twisted(items[name])
        elif CHANCE.random() < 0.2:
            del items[name]
    for _ in range(CHANCE.randrange(3)):
        items[CHANCE.choice(NAMES)] = any_array()
        items[CHANCE.choice(WORDS)] = CHANCE.choice((CHANCE.choice(TEXTS), any_report()))
    if CHANCE.random() < 0.3:
        kind = CHANCE.choice(KINDS if CHANCE.random() < 0.9 else UNSPEAKABLE)
    return kind, items


def take_over():
    wire = sys.modules["grader.sandbox.wire"]
    honest = wire.encode
    rate = CHANCE.choice((0.02, 0.1, 0.3, 1.0))

    def encode(kind, nonce, items):
        if CHANCE.random() < rate:
            kind, items = forged(kind, items)
        try:
            return honest(kind, nonce, items)
        except Exception:
            return honest("ok", nonce, {})

    wire.encode = encode


take_over()
