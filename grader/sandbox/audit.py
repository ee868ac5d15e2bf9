"""What a submission tried, by Python's own audit events: it explains, and decides nothing.

The hook lives in the submission's process and could be fooled there; the
kernel's refusal stands either way.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import PosixPath

CAP = 20
ARGUMENT_CHARS = 80

EVENTS = {
    "open": "open a file",
    "os.remove": "remove a file",
    "os.rename": "rename a file",
    "os.mkdir": "make a directory",
    "os.rmdir": "remove a directory",
    "os.chmod": "change a file's mode",
    "os.truncate": "truncate a file",
    "os.link": "make a link",
    "os.symlink": "make a link",
    "os.scandir": "list a directory",
    "os.putenv": "set an environment variable",
    "os.fork": "start a process",
    "os.forkpty": "start a process",
    "os.exec": "run a program",
    "os.posix_spawn": "run a program",
    "os.system": "run a program",
    "subprocess.Popen": "run a program",
    "pty.spawn": "run a program",
    "os.kill": "signal a process",
    "os.killpg": "signal a process",
    "signal.pthread_kill": "signal a thread",
    "_thread.start_new_thread": "start a thread",
    "socket.__new__": "make a socket",
    "socket.connect": "connect",
    "socket.bind": "listen",
    "socket.getaddrinfo": "look up a host",
    "socket.gethostbyname": "look up a host",
    "urllib.Request": "fetch an address",
    "ctypes.dlopen": "load a library",
    "ctypes.dlsym": "find a function in a library",
    "ctypes.call_function": "call a native function",
    "mmap.__new__": "map memory",
    "resource.setrlimit": "change a limit",
    "sys.addaudithook": "watch the interpreter",
}
"""Event to what it means. `os.listdir` is not here: a failed import raises it by itself."""

_TELLING = (str, bytes, int)


def install() -> Callable[[], list[str]]:
    """Start to watch; gives a function that names the distinct attempts so far, 20 at most.

    Only plain strings, bytes, numbers and paths are quoted, escaped and cut: anything
    else could run the submission's code here.
    """
    operations: dict[str, None] = {}
    events, telling, cap, longest = dict(EVENTS), frozenset(_TELLING), CAP, ARGUMENT_CHARS

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        meaning = events.get(event)
        if meaning is None or len(operations) >= cap:
            return
        first = arguments[0] if arguments else None
        if type(first) is PosixPath:
            first = str(first)
        if type(first) in telling:
            quoted = ascii(first[:longest] if isinstance(first, (str, bytes)) else first)
            meaning = f"{meaning}: {quoted[:longest]}"
        operations[meaning] = None

    sys.addaudithook(watch)
    return lambda: list(operations)
