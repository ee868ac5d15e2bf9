"""The filter's verdicts, computed by an interpreter, against the policy's plain words."""

from __future__ import annotations

import errno
import functools
import struct

import pytest
from bpf import verdict

from grader.sandbox import seccomp, syscalls
from grader.sandbox.seccomp import ALLOW, ERRNO, KILL

PID = 4321
MACHINES = syscalls.MACHINES
NUMBERS = range(601)


@functools.cache
def code_for(machine: str) -> bytes:
    return seccomp.Filter.build(machine).code(PID)


def ask(machine: str, name: str, *arguments: int) -> int:
    number = syscalls.table(machine)[name]
    return verdict(code_for(machine), seccomp.AUDIT_ARCH[machine], number, arguments)


def expected(machine: str) -> dict[int, int]:
    """Number to verdict for calls whose arguments do not matter, from the policy's words."""
    numbers = syscalls.table(machine)
    wanted = dict.fromkeys(range(syscalls.LAST_KNOWN + 1), KILL)
    wanted |= {n: ERRNO | errno.ENOSYS for n in NUMBERS if n > syscalls.LAST_KNOWN}
    for names, code in seccomp.REFUSED:
        wanted |= {numbers[n]: ERRNO | code for n in names.split() if n in numbers}
    return wanted | {numbers[n]: ALLOW for n in seccomp.ALLOWED.split() if n in numbers}


@pytest.mark.parametrize("machine", MACHINES)
def test_every_number_gets_the_policys_verdict(machine: str) -> None:
    code, wanted = code_for(machine), expected(machine)
    harmless = (PID, 1, 0, 0, 0, 0)  # own process; F_GETFD; no PROT_EXEC
    arch = seccomp.AUDIT_ARCH[machine]
    numbers = syscalls.table(machine)
    got = {n: verdict(code, arch, n, harmless) for n in NUMBERS}
    got[numbers["prlimit64"]] = verdict(code, arch, numbers["prlimit64"])
    assert got == wanted


@pytest.mark.parametrize("machine", MACHINES)
def test_other_architectures_are_killed(machine: str) -> None:
    others = {*seccomp.AUDIT_ARCH.values(), 0x4000_0003, 0x4000_0028, 0} - {
        seccomp.AUDIT_ARCH[machine]
    }
    code = code_for(machine)
    for arch in others:
        assert {verdict(code, arch, n) for n in NUMBERS} == {KILL}


def test_the_x32_bit_is_killed() -> None:
    code, arch = code_for("x86_64"), seccomp.AUDIT_ARCH["x86_64"]
    for number in (*NUMBERS, -1 & 0xBFFF_FFFF):
        assert verdict(code, arch, number | seccomp.X32_BIT) == KILL
    assert verdict(code, arch, -1) == KILL


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("name", seccomp.DEADLY.split())
def test_the_deadly_are_killed(machine: str, name: str) -> None:
    assert ask(machine, name) == KILL


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("name", ["mmap", "mprotect"])
def test_no_executable_memory(machine: str, name: str) -> None:
    for protection in range(8):
        wanted = ERRNO | errno.EACCES if protection & 4 else ALLOW
        assert ask(machine, name, 0, 4096, protection) == wanted


@pytest.mark.parametrize("machine", MACHINES)
def test_no_memory_of_others(machine: str) -> None:
    """No page of the pool of huge ones, none merged with another process's, none pushed out."""
    merge, push_out, cool = 12, 21, 20
    shared, private, anonymous, fixed, no_reserve = 1, 2, 0x20, 0x10, 0x4000
    for flags in (private | anonymous, shared | anonymous, private | fixed, private | no_reserve):
        assert ask(machine, "mmap", 0, 4096, 3, flags) == ALLOW
        huge = flags | seccomp.MAP_HUGETLB | 21 << 26
        assert ask(machine, "mmap", 0, 4096, 3, huge) == ERRNO | errno.ENOMEM
    advice = {n: ask(machine, "madvise", 0, 4096, n) for n in (*range(128), 0xFFFF_FFFF)}
    assert {n for n, said in advice.items() if said == ALLOW} == set(seccomp.ADVICE)
    assert {advice[n] for n in (merge, push_out, cool, 0xFFFF_FFFF)} == {ERRNO | errno.EINVAL}


@pytest.mark.parametrize("machine", MACHINES)
def test_signals_go_to_oneself_only(machine: str) -> None:
    forbidden = ERRNO | errno.EPERM
    assert ask(machine, "tgkill", PID, PID, 6) == ALLOW
    assert ask(machine, "tgkill", PID + 1, PID, 6) == forbidden
    assert ask(machine, "tgkill", 0xFFFF_FFFF, PID, 6) == forbidden
    assert ask(machine, "kill", PID, 6) == forbidden


@pytest.mark.parametrize("machine", MACHINES)
def test_limits_can_be_read_not_set(machine: str) -> None:
    forbidden = ERRNO | errno.EPERM
    assert ask(machine, "prlimit64", 0, 9, 0, 0x1000) == ALLOW
    assert ask(machine, "prlimit64", 0, 9, 0x1000, 0) == forbidden
    assert ask(machine, "prlimit64", 0, 9, 0x1_0000_0000, 0) == forbidden
    assert ask(machine, "prlimit64", PID, 9, 0, 0x1000) == forbidden


@pytest.mark.parametrize("machine", MACHINES)
def test_descriptor_flags_can_be_asked_not_set(machine: str) -> None:
    allowed = [c for c in range(1100) if ask(machine, "fcntl", 1, c) == ALLOW]
    assert allowed == [seccomp.F_GETFD, seccomp.F_GETFL]


@pytest.mark.parametrize("machine", MACHINES)
def test_the_program_is_well_formed(machine: str) -> None:
    """Every jump lands inside, and the program ends by returning."""
    ops = seccomp.program(machine)
    assert len(ops) < 4096
    assert ops[-1].code == seccomp.RETURN
    for at, op in enumerate(ops):
        reach = op.k if op.code == seccomp.JUMP else max(op.yes, op.no)
        assert at + reach < len(ops) - (op.code != seccomp.RETURN)
    assert code_for(machine).count(struct.pack("<I", PID)) == 1


def test_the_policy_names_each_call_once_and_knows_all() -> None:
    names = [*seccomp.ALLOWED.split(), *seccomp.DEADLY.split()]
    names += [n for row, _ in seccomp.REFUSED for n in row.split()]
    assert len(names) == len(set(names))
    known = {n for machine in MACHINES for n in syscalls.table(machine)}
    assert set(names) <= known


@pytest.mark.parametrize("machine", MACHINES)
def test_numbers_are_distinct(machine: str) -> None:
    numbers = syscalls.table(machine)
    assert len(set(numbers.values())) == len(numbers)
    assert max(numbers.values()) == syscalls.LAST_KNOWN
