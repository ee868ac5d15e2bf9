"""The table of system calls against the kernel's own headers, for both machines."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from grader.sandbox import syscalls

HEADERS = {
    syscalls.X86_64: ("x86_64-linux-gnu/asm/unistd_64.h", "asm/unistd_64.h"),
    syscalls.AARCH64: ("asm-generic/unistd.h",),
}
"""The generic table is aarch64's; any machine's headers bring it along."""

DEFINED = re.compile(r"^#define __NR(?:3264)?_(\w+)\s+(\d+)", re.MULTILINE)
OTHER_NAMES = {"newfstatat": "fstatat"}
SEEN_BY_MOST = 300
"""Numbers that headers of the last years know; newer calls stand in the table before them."""


@pytest.mark.parametrize("machine", syscalls.MACHINES)
def test_every_number_is_the_kernels(machine: str) -> None:
    found = [p for name in HEADERS[machine] if (p := Path("/usr/include", name)).is_file()]
    if not found:
        pytest.skip("NO HEADERS: install linux-libc-dev, or the numbers go unchecked")
    known = {name: int(number) for name, number in DEFINED.findall(found[0].read_text())}
    table = syscalls.table(machine)
    pairs = {n: known.get(n, known.get(OTHER_NAMES.get(n, ""))) for n in table}
    assert {n: number for n, number in pairs.items() if number not in (None, table[n])} == {}
    assert sum(number is not None for number in pairs.values()) > SEEN_BY_MOST
