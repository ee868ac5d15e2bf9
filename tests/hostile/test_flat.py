"""Five hundred hostile children, one after another, leave no memory and no descriptor behind."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from grader.observe.zygotes import Zygotes
from grader.records import Ended
from grader.sandbox.control import Limits
from grader.sandbox.pool import Zygote

WARM_UP, MEASURED = 100, 500
HANG_SECONDS = 0.05
PIECE = 1 << 16

ENDS: tuple[tuple[str, str, frozenset[Ended]], ...] = (
    ("crash", "import ctypes; ctypes.string_at(0)", frozenset({Ended.CRASH, Ended.VIOLATION})),
    ("hang", "while True: pass", frozenset({Ended.TIMEOUT})),
    ("exit", "import os; os._exit(3)", frozenset({Ended.CRASH})),
    ("flood", f"while True: print('x' * {PIECE})", frozenset({Ended.OUTPUT_LIMIT})),
    ("forbidden", "import ctypes; ctypes.CDLL(None).ptrace(0, 0, 0, 0)", frozenset({Ended.VIOLATION})),
    ("forge", "import os\nfor fd in range(3, 9):\n  try: os.write(fd, b'x' * 99)\n  except OSError:"
     " pass\nwhile True: pass", frozenset({Ended.VIOLATION, Ended.TIMEOUT})),
    ("raise", "def f(:", frozenset({Ended.RAISED})),
)  # fmt: skip
"""A name, what a submission does when it is loaded, and the ways in which that may end."""

RSS_SLACK = 6 << 20
"""An arena of malloc's, a few thread stacks. 500 leaked replies or frames would be more."""
DESCRIPTOR_SLACK = 0

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@dataclass(frozen=True)
class Figures:
    """One process: resident bytes, open descriptors, living children."""

    rss: int
    descriptors: int
    children: int

    @classmethod
    def of(cls, pid: int) -> Figures:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        descriptors = len(list(Path(f"/proc/{pid}/fd").iterdir()))
        return cls(pages * os.sysconf("SC_PAGE_SIZE"), descriptors, len(children_of(pid)))


def children_of(pid: int) -> list[int]:
    """Its direct children, ended ones that nobody has buried included."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(word) for word in (task / "children").read_text().split()]
    return found


def one_child(zygote: Zygote, number: int) -> None:
    """One submission that ends badly, and the judge's verdict on it."""
    name, source, expected = ENDS[number % len(ENDS)]
    seconds = HANG_SECONDS if name in ("hang", "forge") else 10.0
    files = {"path0": "solution.py", "data0": source.encode(), "files": "1", "main": "solution.py"}
    with zygote.spawn(Limits(memory_bytes=256 << 20, cpu_seconds=5), 20.0) as child:
        assert child.request("isolation", {}, 1 << 16).ended is Ended.OK
        load = {**files, "side": "numpy", "noise": "1", "names": "{}", "max_bytes": "65536"}
        reply = child.request("load", load, 1 << 17, seconds)
    assert reply.ended in expected, (name, reply)


@pytest.fixture(scope="module")
def own() -> Zygotes:
    """Zygotes that no other test has used."""
    with Zygotes() as both:
        both.numpy.facts()
        both.torch.facts()
        yield both


def test_500_hostile_children_leave_memory_and_descriptors_flat(own: Zygotes) -> None:
    launchers = {pid for pid in children_of(os.getpid()) if b"grader.sandbox" in command(pid)}
    watched = {"judge": os.getpid()}
    for number, launcher in enumerate(sorted(launchers)):
        watched[f"launcher {number}"] = launcher
        watched |= {f"zygote {number}": zygote for zygote in children_of(launcher)}
    assert len(watched) >= 3

    pair = (own.numpy, own.torch)
    for number in range(WARM_UP):
        one_child(pair[number % 2], number // 2)
    before = {name: Figures.of(pid) for name, pid in watched.items()}
    started = time.monotonic()
    for number in range(MEASURED):
        one_child(pair[number % 2], number // 2)
    seconds = time.monotonic() - started
    after = {name: Figures.of(pid) for name, pid in watched.items()}

    print(f"\n{MEASURED} children in {seconds:.1f} s, {1000 * seconds / MEASURED:.0f} ms each")
    for name in watched:
        was, now = before[name], after[name]
        print(
            f"{name:11} rss {was.rss / 2**20:7.1f} -> {now.rss / 2**20:7.1f} MiB, "
            f"descriptors {was.descriptors} -> {now.descriptors}, "
            f"children {was.children} -> {now.children}"
        )
        assert now.rss - was.rss <= RSS_SLACK, name
        assert now.descriptors - was.descriptors <= DESCRIPTOR_SLACK, name
        assert now.children == was.children, f"{name} has not buried its children"


def command(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()
