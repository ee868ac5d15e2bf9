"""Large pages: what is there stays as it is, and a fork has less to copy."""

from __future__ import annotations

import ctypes
import mmap
import os
import re
from pathlib import Path

import pytest

from grader.observe.modules import NUMPY_MODULES
from grader.observe.zygotes import DRIVER
from grader.sandbox.control import Limits
from grader.sandbox.large_pages import SIZE, collapse, written_ranges
from grader.sandbox.pool import Zygote
from grader.sandbox.zygote import MANY
from tests.sandbox.confined import linux_only

pytestmark = linux_only


@pytest.fixture
def memory() -> mmap.mmap:
    """Four large pages' worth of private memory, written page by page."""
    held = mmap.mmap(-1, 4 * SIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    for at in range(0, len(held), mmap.PAGESIZE):
        held[at : at + 2] = (at // mmap.PAGESIZE).to_bytes(2, "little")
    return held


def in_large_pages(pid: int | str = "self") -> int:
    """Bytes."""
    rolled = Path(f"/proc/{pid}/smaps_rollup").read_text()
    found = re.search(r"AnonHugePages:\s+(\d+) kB", rolled)
    assert found is not None
    return int(found[1]) << 10


def can_collapse() -> bool:
    """Whether this kernel does it at all: Linux from 6.1 on, built with large pages."""
    release = tuple(int(word) for word in os.uname().release.split("-")[0].split(".")[:2])
    return release >= (6, 1) and Path("/sys/kernel/mm/transparent_hugepage").is_dir()


def test_what_was_written_is_found_and_stays(memory: mmap.mmap) -> None:
    before = memory[:]
    ranges = [(a, b) for a, b in written_ranges() if b - a >= len(memory)]
    assert ranges
    large, done = in_large_pages(), collapse(ranges)
    assert memory[:] == before
    if can_collapse():
        assert done >= 3
        assert in_large_pages() >= large + 3 * SIZE


def test_ranges_that_are_gone_or_no_memory_do_no_harm() -> None:
    held = mmap.mmap(-1, 4 * SIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    ranges = written_ranges()
    held.close()
    collapse([*ranges, (0, SIZE), (1 << 62, (1 << 62) + 4 * SIZE), (5, 3)])


def test_files_and_shared_memory_are_none_of_it(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(bytes(SIZE))
    with file.open("r+b") as opened:
        private = mmap.mmap(opened.fileno(), 0, flags=mmap.MAP_PRIVATE)
    for mapped in (private, mmap.mmap(-1, SIZE)):
        at = ctypes.addressof(ctypes.c_char.from_buffer(mapped))
        assert not [span for span in written_ranges() if span[0] <= at < span[1]]


@pytest.mark.slow
def test_a_zygote_of_many_children_takes_large_pages_and_serves_on() -> None:
    with Zygote(DRIVER, NUMPY_MODULES) as zygote:
        zygote.facts()
        launcher = zygote._process.pid
        pid = int(Path(f"/proc/{launcher}/task/{launcher}/children").read_text().split()[0])
        before = in_large_pages(pid)
        for _ in range(MANY + 1):  # one more, so that the last is after it
            with zygote.spawn(Limits(), 20.0) as child:
                assert child.greet().items["isolation"]
        if can_collapse():
            assert in_large_pages(pid) > before
