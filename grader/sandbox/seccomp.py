"""The floor of the sandbox: an allow-list of system calls, last step of the lock-down.

Three answers. *Allowed*: what computing with NumPy and torch needs, some of it
only with harmless arguments. *Refused*: what honest code may try and survives,
such as opening a file; it gets an errno. Everything else, and every call of
another architecture, ends the process with SIGSYS. A call newer than the
table is told that it does not exist, as an older kernel would.
"""

from __future__ import annotations

import ctypes
import errno
import struct
from dataclasses import dataclass

from grader.sandbox import syscalls
from grader.sandbox.kernel import Kernel

KILL = 0x8000_0000
ERRNO = 0x0005_0000
ALLOW = 0x7FFF_0000

LOAD, JUMP, JUMP_EQUAL, JUMP_AT_LEAST, JUMP_ANY_BIT, RETURN = 0x20, 0x05, 0x15, 0x35, 0x45, 0x06
NUMBER_AT, ARCH_AT, ARGUMENTS_AT = 0, 4, 16
"""Offsets into `struct seccomp_data`; both machines are little-endian."""

AUDIT_ARCH = {syscalls.X86_64: 0xC000_003E, syscalls.AARCH64: 0xC000_00B7}
X32_BIT = 0x4000_0000
PROT_EXEC = 4
MAP_HUGETLB = 0x4_0000
ADVICE = (0, 1, 2, 3, 4, 8, 14, 15)
"""What memory may be advised: how it is read, that it is done with, huge pages or none.

Not: to merge equal pages with other processes' (how long a write takes then tells of
theirs), nor to push pages out that others share.
"""

F_GETFD, F_GETFL = 1, 3
SET_MODE_FILTER = 1
OWN_PID = 0x7EAD_BEE5
"""Stands for the child's own process id in a filter built before the child exists."""

ALLOWED = """
read write futex mmap munmap madvise brk mprotect mremap close lseek readv writev
poll ppoll select pselect6 clock_gettime clock_getres clock_nanosleep gettimeofday time nanosleep
getpid gettid getppid getuid geteuid getgid getegid getcpu getrandom getcwd getrusage times
sched_yield sched_getaffinity sysinfo fstat fcntl getrlimit prlimit64
rt_sigaction rt_sigprocmask rt_sigreturn sigaltstack restart_syscall tgkill exit exit_group
"""
"""What computing needs, and what tells a process about itself. Arguments: see `_conditions`."""

FILES = """
open openat openat2 creat stat lstat newfstatat statx access faccessat faccessat2 readlink
readlinkat chdir fchdir mkdir mkdirat rmdir unlink unlinkat rename renameat renameat2 link linkat
symlink symlinkat chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat truncate ftruncate
getdents getdents64 statfs fstatfs utime utimes utimensat futimesat mknod mknodat fallocate fsync
fdatasync sync syncfs flock fadvise64 readahead name_to_handle_at getxattr lgetxattr fgetxattr
listxattr llistxattr flistxattr setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr
inotify_init inotify_init1 inotify_add_watch inotify_rm_watch mq_open mq_unlink umask
"""
SOCKETS = """
socket socketpair connect bind listen accept accept4 sendto recvfrom sendmsg recvmsg sendmmsg
recvmmsg shutdown getsockname getpeername getsockopt setsockopt
"""
PROCESSES = """
clone fork vfork execve execveat kill tkill rt_sigqueueinfo rt_tgsigqueueinfo pidfd_open
pidfd_send_signal setsid setpgid getpgid getpgrp getsid setuid setgid setreuid setregid setresuid
setresgid setgroups getgroups getresuid getresgid setfsuid setfsgid capget capset prctl arch_prctl
setrlimit getpriority setpriority sched_setaffinity sched_setscheduler sched_getscheduler
sched_setparam sched_getparam sched_setattr sched_getattr sched_get_priority_max
sched_get_priority_min ioprio_get ioprio_set
"""
MACHINERY = """
memfd_create memfd_secret shmget shmat shmctl shmdt semget semop semctl semtimedop msgget msgsnd
msgrcv msgctl pipe pipe2 dup dup2 dup3 close_range eventfd eventfd2 epoll_create epoll_create1
epoll_ctl epoll_wait epoll_pwait epoll_pwait2 signalfd signalfd4 timerfd_create timerfd_settime
timerfd_gettime timer_create alarm setitimer getitimer pause rt_sigsuspend rt_sigtimedwait
rt_sigpending pread64 pwrite64 preadv pwritev preadv2 pwritev2 sendfile splice tee copy_file_range
mlock mlock2 mlockall munlock munlockall msync mincore get_mempolicy set_mempolicy mbind uname
"""
ABSENT = "clone3 rseq membarrier futex_waitv set_robust_list get_robust_list set_tid_address"

REFUSED = (
    (FILES, errno.EACCES),
    (SOCKETS, errno.EACCES),
    (PROCESSES, errno.EPERM),
    (MACHINERY, errno.EPERM),
    (ABSENT, errno.ENOSYS),
    ("ioctl", errno.ENOTTY),
    ("wait4 waitid", errno.ECHILD),
)
"""What honest code may try and survive, with what it is told."""

DEADLY = (
    "ptrace process_vm_readv process_vm_writev process_madvise pidfd_getfd kcmp io_uring_setup "
    "io_uring_enter io_uring_register bpf perf_event_open userfaultfd add_key request_key keyctl "
    "unshare setns mount umount2 move_mount open_tree fsopen fsmount pivot_root chroot "
    "open_by_handle_at kexec_load kexec_file_load init_module finit_module delete_module reboot "
    "seccomp personality pkey_mprotect io_setup fanotify_init syslog swapon settimeofday"
)
"""Some of what ends the process, by name, for probes and tests; the filter kills by default."""


# ── assembling ───────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Op:
    """One BPF instruction; `yes` and `no` are how many to skip after a comparison."""

    code: int
    k: int
    yes: int = 0
    no: int = 0

    def packed(self) -> bytes:
        """Return `struct sock_filter`."""
        return struct.pack("<HBBI", self.code, self.yes, self.no, self.k)


def _answer(verdict: int) -> list[Op]:
    return [Op(RETURN, verdict)]


def _when(code: int, k: int, then: list[Op]) -> list[Op]:
    """Return `then`, which must return, if the loaded word compares; else go on after it."""
    return [Op(code, k, no=len(then)), *then]


def _argument(index: int, *, high: bool = False) -> Op:
    """Load one half of a call's argument."""
    return Op(LOAD, ARGUMENTS_AT + 8 * index + 4 * high)


def _conditions() -> dict[str, list[Op]]:
    """Return allowed calls whose arguments matter, in 32 bits: the kernel ignores the rest."""
    allow = _answer(ALLOW)
    denied, forbidden = _answer(ERRNO | errno.EACCES), _answer(ERRNO | errno.EPERM)
    no_code = [_argument(2), *_when(JUMP_ANY_BIT, PROT_EXEC, denied)]
    from_no_pool = [_argument(3), *_when(JUMP_ANY_BIT, MAP_HUGETLB, _answer(ERRNO | errno.ENOMEM))]
    harmless_advice = [
        _argument(2),
        *(op for advice in ADVICE for op in _when(JUMP_EQUAL, advice, allow)),
        *_answer(ERRNO | errno.EINVAL),
    ]
    asks_flags = [
        _argument(1),
        *_when(JUMP_EQUAL, F_GETFD, allow),
        *_when(JUMP_EQUAL, F_GETFL, allow),
        *forbidden,
    ]
    own_process = [_argument(0), *_when(JUMP_EQUAL, OWN_PID, allow), *forbidden]
    # only to read one's own limits: pid 0, and no new limit
    reads_limits = [
        *(_argument(0), Op(JUMP_EQUAL, 0, no=5)),
        *(_argument(2), Op(JUMP_EQUAL, 0, no=3)),
        *(_argument(2, high=True), Op(JUMP_EQUAL, 0, no=1)),
        *allow,
        *forbidden,
    ]
    return {
        "mmap": [*no_code, *from_no_pool, *allow],  # huge pages are set aside for others
        "mprotect": [*no_code, *allow],
        "madvise": harmless_advice,
        "fcntl": asks_flags,
        "tgkill": own_process,  # abort() and raise()
        "prlimit64": reads_limits,
    }


def _rules(machine: str) -> dict[int, list[Op]]:
    """Return what to do from each number on, up to the next: the whole number line."""
    numbers, conditions = syscalls.table(machine), _conditions()
    named = {name: conditions.get(name, _answer(ALLOW)) for name in ALLOWED.split()}
    for names, code in REFUSED:
        named |= dict.fromkeys(names.split(), _answer(ERRNO | code))
    rules = {0: _answer(KILL)}
    for name, body in named.items():
        if name in numbers:
            rules[numbers[name]] = body
            rules.setdefault(numbers[name] + 1, _answer(KILL))
    rules[syscalls.LAST_KNOWN + 1] = _answer(ERRNO | errno.ENOSYS)
    if machine == syscalls.X86_64:
        rules[X32_BIT] = _answer(KILL)
    return rules


def _search(rules: list[tuple[int, list[Op]]]) -> list[Op]:
    """Find the stretch that the loaded number lies in, by halving: loading stays cheap."""
    if len(rules) == 1:
        return rules[0][1]
    middle = len(rules) // 2
    low, high = _search(rules[:middle]), _search(rules[middle:])
    return [Op(JUMP_AT_LEAST, rules[middle][0], no=1), Op(JUMP, len(low)), *low, *high]


def program(machine: str) -> list[Op]:
    """Return the whole filter for `machine`. `OWN_PID` still stands for the process id."""
    rules = sorted(_rules(machine).items())
    stretches = [
        rule
        for before, rule in zip([(0, None), *rules], rules, strict=False)
        if rule[1] != before[1]
    ]
    return [
        *(Op(LOAD, ARCH_AT), Op(JUMP_EQUAL, AUDIT_ARCH[machine], yes=1), *_answer(KILL)),
        *(Op(LOAD, NUMBER_AT), *_search(stretches)),
    ]


# ── loading ──────────────────────────────────────────────────────────────────


class _Program(ctypes.Structure):
    """`struct sock_fprog`."""

    _fields_ = (("length", ctypes.c_ushort), ("ops", ctypes.c_void_p))


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter ready to load: its bytes but for the process id, and where that goes."""

    head: bytes
    tail: bytes

    @classmethod
    def build(cls, machine: str) -> Filter:
        """Assemble it in the zygote, so that a child only fills in its process id."""
        code = b"".join(op.packed() for op in program(machine))
        head, tail = code.split(struct.pack("<I", OWN_PID))
        return cls(head, tail)

    def code(self, pid: int) -> bytes:
        """Return the bytes for the process `pid`."""
        return self.head + struct.pack("<I", pid) + self.tail

    def load(self, kernel: Kernel, pid: int) -> str:
        """Bind this process for good; raises `OSError`. Needs no_new_privs, nothing else."""
        code = self.code(pid)
        buffer = ctypes.create_string_buffer(code, len(code))
        ops = len(code) // 8
        request = _Program(ops, ctypes.cast(buffer, ctypes.c_void_p))
        kernel.call("seccomp", SET_MODE_FILTER, 0, ctypes.byref(request))
        return f"{ops} instructions"
