"""Pictures of a wrong answer, small enough to be checked by eye."""

from __future__ import annotations

import math

from grader.records import Curve, ErrorMap, Pictures

GROWN = (1.0, 10.0, 100.0, 1000.0)
RIGHT = Curve("numpy", "autograd", tuple((x, 0.4 * x) for x in GROWN))
LOST = Curve("numpy", "loss", ((1.0, 0.4), (10.0, 4.0), (100.0, math.inf), (1000.0, math.nan)))
MASK = ErrorMap("numpy", "W2", "primes", (2, 3), (0, 4, 4, 0, 9, 5), "5 of 6 entries", True)
RATIOS = tuple(
    Curve("numpy", name, ((1.0, 1.0), (5.0, law(5.0)), (17.0, law(17.0))))
    for name, law in (("loss", lambda b: 1.0), ("dW1", lambda b: 1 / b), ("db1", lambda b: 1 / b))
)
STEPS = (Curve("numpy", "difference", ((1e-2, 0.3), (1e-5, 0.25), (1e-10, 0.26))),)
ALL = Pictures((MASK,), RATIOS, (LOST, RIGHT), STEPS)
