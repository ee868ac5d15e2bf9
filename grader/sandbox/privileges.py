"""Giving up what makes a process special: root's identity and every capability."""

from __future__ import annotations

import ctypes
import os
import secrets

from grader.sandbox.kernel import (
    PR_CAP_AMBIENT,
    PR_CAP_AMBIENT_CLEAR_ALL,
    PR_CAPBSET_DROP,
    PR_SET_SECUREBITS,
    Kernel,
    LockdownError,
    attempt,
)

NOBODY = 65534
PRIVATE_IDS = (0x4000_0000, 0x6000_0000)
"""A child's own uid is drawn from here, so that it shares none with a service or a sibling."""

CAPABILITY_VERSION = 0x2008_0522
CAPABILITIES = range(64)
SECUREBITS = 0b1110_1011
"""No root privileges by uid 0, no kept or ambient capabilities; all of it locked.

The fix-up that takes root's capabilities away upon setuid stays on, locked.
"""

_Header = ctypes.c_uint32 * 2
_Sets = ctypes.c_uint32 * 6


def bound(kernel: Kernel) -> str:
    """Empty the bounding set and lock the secure bits, where this is allowed at all."""

    def step() -> None:
        kernel.prctl(PR_SET_SECUREBITS, SECUREBITS)
        for capability in CAPABILITIES:
            try:
                kernel.prctl(PR_CAPBSET_DROP, capability)
            except OSError:
                if capability == 0:
                    raise
                break  # past the last one this kernel has
        kernel.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)

    return attempt(step)


def leave_root(*, single_map: bool) -> str:
    """Become an unprivileged user if this is root; raises `OSError` or `LockdownError`.

    `single_map`: in a user namespace that knows one user only, there is no
    other to become, and uid 0 is none outside of it.
    """
    if os.geteuid() != 0:
        return "the ordinary user who started this"
    if single_map:
        return "root of a one-user namespace only"
    low, high = PRIVATE_IDS
    try:
        os.setgroups([])
        _become_one_of((low + secrets.randbelow(high - low), NOBODY))
    except OSError as error:
        raise LockdownError(
            f"root could not become another user ({error}); run the grader as an ordinary user, "
            "or give its container CAP_SETUID and CAP_SETGID"
        ) from error
    if 0 in (*os.getresuid(), *os.getresgid(), *os.getgroups()):
        raise LockdownError("root was given up, but something of it remained")
    return "an unprivileged user of its own"


def _become_one_of(users: tuple[int, ...]) -> None:
    """Return the first of `users` that this user namespace knows."""
    for user in users:
        try:
            os.setresgid(user, user, user)
            os.setresuid(user, user, user)
        except OSError:
            if user == users[-1]:
                raise
        else:
            return


def drop_capabilities(kernel: Kernel) -> None:
    """Drop every capability from every set; raises `OSError` or `LockdownError`."""
    header, sets = _Header(CAPABILITY_VERSION, 0), _Sets()
    kernel.call("capset", ctypes.byref(header), ctypes.byref(sets))
    kernel.call("capget", ctypes.byref(header), ctypes.byref(sets))
    if any(sets):
        raise LockdownError("capabilities were dropped, but some remained")
