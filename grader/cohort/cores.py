"""How many submissions a machine can grade at a time."""

from __future__ import annotations

import os
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup/cpu.max")
"""The quota of a container (cgroup v2): "max 100000", or microseconds a period."""


def cores(quota: Path = CGROUP) -> int:
    """Return the cores that this process may use: its affinity, or less if its cgroup says so."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    try:
        allowed, period = quota.read_text().split()
        return max(1, min(usable or 1, int(allowed) // int(period)))
    except (OSError, ValueError, ZeroDivisionError):
        return usable or 1
