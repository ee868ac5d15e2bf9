"""What confining a child costs beyond the fork: children of a confined and an unconfined zygote."""

from __future__ import annotations

import statistics
import time

from grader.observe.modules import NUMPY_MODULES, TORCH_MODULES
from grader.observe.zygotes import DRIVER
from grader.sandbox.control import Limits
from grader.sandbox.pool import Zygote

ROUNDS = 200


def birth(zygote: Zygote) -> tuple[float, float]:
    """Seconds from the request for a child to its first answer, and the child's processor time.

    The latter is what a busy machine leaves alone.
    """
    started = time.perf_counter()
    with zygote.spawn(Limits(), 30.0) as child:
        child.greet()
        seconds = time.perf_counter() - started
    return seconds, child.close().cpu_seconds


def main() -> None:
    for name, modules in (("numpy", NUMPY_MODULES), ("torch", TORCH_MODULES)):
        with Zygote(DRIVER, modules) as locked, Zygote(DRIVER, modules, unconfined=True) as bare:
            birth(locked), birth(bare)
            pairs = [(birth(bare), birth(locked)) for _ in range(ROUNDS)]
        for what, clock in (("on the clock", 0), ("of processor time", 1)):
            fork = statistics.median(b[clock] for b, _ in pairs)
            extra = statistics.median(c[clock] - b[clock] for b, c in pairs)
            print(
                f"{name}: bare child {1e3 * fork:.2f} ms, confined {1e3 * extra:+.2f} ms {what} "
                f"(median of {ROUNDS} pairs; target: at most 3 ms)"
            )


if __name__ == "__main__":
    main()
