"""What confining a child costs beyond the fork: children of a confined and an unconfined zygote."""

from __future__ import annotations

import statistics
import time

from grader.observe.modules import NUMPY_MODULES, TORCH_MODULES
from grader.observe.zygotes import DRIVER
from grader.sandbox.control import Limits
from grader.sandbox.pool import Zygote

ROUNDS = 200


def birth(zygote: Zygote) -> float:
    """Seconds from the request for a child to its first answer."""
    started = time.perf_counter()
    with zygote.spawn(Limits(), 30.0) as child:
        child.request("isolation", {}, 1 << 16)
        return time.perf_counter() - started


def main() -> None:
    for name, modules in (("numpy", NUMPY_MODULES), ("torch", TORCH_MODULES)):
        with Zygote(DRIVER, modules) as locked, Zygote(DRIVER, modules, unconfined=True) as bare:
            birth(locked), birth(bare)
            pairs = [(birth(bare), birth(locked)) for _ in range(ROUNDS)]
        fork = statistics.median(b for b, _ in pairs)
        extra = statistics.median(c - b for b, c in pairs)
        print(
            f"{name}: bare child {1e3 * fork:.2f} ms, confined {1e3 * extra:+.2f} ms "
            f"(median of {ROUNDS} pairs; target: at most 3 ms)"
        )


if __name__ == "__main__":
    main()
