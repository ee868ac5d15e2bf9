"""Takes over the child's side and forges its replies: well-formed, rightly numbered, and wrong.

Appended to an honest submission. It lives in the process that answers the judge, so it
can say whatever the wire's format can say; SEED decides what, and how often.
"""

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
WORDS = ("error", "traceback", "frames", "functions", "problems", "paths", "loss_type", "said")
TEXTS = (
    "",
    "\n",
    ":",
    "forward:1:1",
    "forward:x:1\nbackward::1\nverify:-5:1",
    "forward:99999999999:1\nbackward:0:1\ntorch_forward_backward:7:1:1",
    "forward:" + "9" * 5000 + ":1",
    "forward:\u0663:1",
    "solution.py:0:f\nsolution.py:99999:f\nsolution.py:-1:f\n:::\nx:y:z",
    "solution.py:3:<script>alert(1)</script>\n../../etc/passwd:1:f",
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


def twisted(value):
    """Something near `value`: another dtype, shape, number or a text."""
    if not isinstance(value, np.ndarray) and not np.isscalar(value):
        return any_array()
    if isinstance(value, str):
        return CHANCE.choice((CHANCE.choice(TEXTS), any_array(), b"bytes"))
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
        items[CHANCE.choice(WORDS)] = CHANCE.choice(TEXTS)
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
