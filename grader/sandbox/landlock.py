"""Landlock, the kernel's second opinion: no file, no network, no signal outwards.

A ruleset that handles every right its version knows, and allows none.
Descriptors that are already open keep working; the child keeps only its pipes.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

from grader.sandbox.kernel import Kernel

VERSION_QUERY = 1
FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
"""How many file rights a version has; from version 5 on sixteen."""

NET_SINCE, SCOPE_SINCE = 4, 6
BIND_AND_CONNECT_TCP = 0b11
ABSTRACT_SOCKETS_AND_SIGNALS = 0b11


class _Ruleset(ctypes.Structure):
    """`struct landlock_ruleset_attr`; an older kernel accepts unknown fields that are 0."""

    _fields_ = (("files", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scope", ctypes.c_uint64))


@dataclass(frozen=True, slots=True)
class DenyAll:
    """The ruleset for version `abi`."""

    abi: int

    @classmethod
    def build(cls, kernel: Kernel) -> DenyAll:
        """Raises `OSError` where Landlock is missing or switched off."""
        return cls(kernel.call("landlock_create_ruleset", 0, 0, VERSION_QUERY))

    def load(self, kernel: Kernel) -> str:
        """Bind this process for good; raises `OSError`. Needs one descriptor for a moment."""
        rights = FILE_RIGHTS.get(self.abi, FILE_RIGHTS[5])
        request = _Ruleset(
            files=(1 << rights) - 1,
            net=BIND_AND_CONNECT_TCP if self.abi >= NET_SINCE else 0,
            scope=ABSTRACT_SOCKETS_AND_SIGNALS if self.abi >= SCOPE_SINCE else 0,
        )
        size = ctypes.sizeof(request)
        fd = kernel.call("landlock_create_ruleset", ctypes.byref(request), size)
        try:
            kernel.call("landlock_restrict_self", fd)
        finally:
            kernel.call("close", fd)
        return f"ABI {self.abi}"
