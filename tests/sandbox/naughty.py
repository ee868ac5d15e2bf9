"""A child whose handler does what no handler should, at the judge's bidding.

The handler is sent as source; it finds the pipe and the nonce in the frames of
the harness above it, as a hostile submission would.
"""

from __future__ import annotations

import math
from typing import Any

from grader.records import Ended
from grader.sandbox.control import Limits
from grader.sandbox.pool import Zygote
from grader.sandbox.session import Child, Reply

HANDLER = """
import ctypes, os, signal, sys, time
import numpy as np
from grader.sandbox import wire

def harness():
    frame = sys._getframe()
    while "reply_fd" not in frame.f_locals:
        frame = frame.f_back
    return frame.f_locals

def say(data):
    os.write(harness()["reply_fd"], data)

def forged(nonce, **items):
    return wire.encode("ok", nonce, items)

def spin_deaf():
    signal.signal(signal.SIGXCPU, signal.SIG_IGN)
    while True:
        pass

def drip():
    data = forged(harness()["frame"].nonce, x=np.zeros(1000))
    for byte in data:
        say(bytes([byte]))
        time.sleep(0.02)

def twice():
    reply = forged(harness()["frame"].nonce)
    say(reply + reply)

def bytes_beside():
    say(forged(harness()["frame"].nonce) + b"!")

def both_pipes():
    close = harness()
    os.close(close["reply_fd"])
    os.close(close["request_fd"])
    while True:
        time.sleep(1)

def flood(size):
    block = b"x" * 65536
    for _ in range(size // len(block)):
        os.write(1, block)

def silent():
    os.close(1)
    os.close(2)

def claims(ended):
    return {"ended": ended, "x": np.float64(1)}

def raises(error):
    raise error

def words(text):
    print(text)
    print(text, file=sys.stderr)

class Sneaky(Exception):
    def __str__(self):
        raise SystemExit("no")

def handle(kind, items):
    answer = eval(items.get("do", "None"), globals())
    return answer if isinstance(answer, dict) else {"echo": kind, **{k: v for k, v in items.items() if k != "do"}}
"""
SECONDS = 20.0
ROOM = 1 << 20


def started(zygote: Zygote, seconds: float = SECONDS, limits: Limits | None = None) -> Child:
    one = zygote.spawn(limits or Limits(), seconds)
    assert one.request("load-oracle", {"source": HANDLER}, ROOM).ended is Ended.OK
    return one


def do(child: Child, code: str, seconds: float = math.inf, room: int = ROOM) -> Reply:
    return child.request("do", {"do": code}, room, seconds)


def serves(zygote: Zygote) -> bool:
    """Whether a fresh child of it still answers."""
    with started(zygote) as fresh:
        return do(fresh, "1 + 1").ended is Ended.OK


def ends(zygote: Zygote, code: str, **limits: Any) -> Reply:
    """How a fresh child ends that runs `code`; it must be over, and the zygote well."""
    with started(zygote, limits=Limits(**limits)) as child:
        reply = do(child, code)
        assert not child.alive
        assert do(child, "1").ended is Ended.NOT_RUN
    assert serves(zygote)
    return reply
