"""What each defect is charged of the losses that it explains.

A maximum flow. Every loss may be charged to any of the defects that explain it,
and no defect takes more than its limit: so a defect that fails ten checks is
charged once, and where two defects share a check neither replaces the other.
With one set of defects this is min(loss, sum of the limits).

Of all the largest charges it is the most even one: each set keeps the same share
of its loss, except where its own defects have no room for that. The flow is found
after Edmonds and Karp (1972), breadth first, the share after Dinkelbach (1967),
from one bottleneck to the next; in exact fractions.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from fractions import Fraction
from typing import TypeAlias

Codes: TypeAlias = frozenset[str]
Flow: TypeAlias = dict[tuple[Codes, str], Fraction]
Step: TypeAlias = tuple[Codes, str, int]
"""A set of defects, one of its defects, and +1 to charge it more or -1 to charge it less."""

NOTHING = Fraction(0)


def allocate(losses: Mapping[Codes, Fraction], limits: Mapping[str, Fraction]) -> Flow:
    """Return how much of the loss of each set is charged to each of its defects, in points.

    The sum is the largest that charges no loss twice and no defect above its limit.
    """
    settled: Flow = {}
    left = {codes: lost for codes, lost in losses.items() if lost > 0}
    room = dict(limits)
    while left:
        flow, sets, used = _evenly(left, room)
        settled |= {key: points for key, points in flow.items() if key[0] in sets}
        left = {codes: lost for codes, lost in left.items() if codes not in sets}
        room = {code: limit for code, limit in room.items() if code not in used}
    return settled


def _evenly(
    losses: Mapping[Codes, Fraction], limits: Mapping[str, Fraction]
) -> tuple[Flow, set[Codes], set[str]]:
    """Return the largest equal share of all losses that fits: the flow, and its bottleneck.

    The bottleneck is the sets that cannot be charged more and the defects that are
    used up by them; all of both, when everything fits.
    """
    share, sets, used = Fraction(1), set(losses), set(limits)
    while True:
        flow, short, full = _largest({s: share * lost for s, lost in losses.items()}, limits)
        if not short:
            return flow, sets, used
        sets, used = short, full
        room = sum((limits[code] for code in used), NOTHING)
        share = room / sum((losses[codes] for codes in sets), NOTHING)


def _largest(
    demands: Mapping[Codes, Fraction], limits: Mapping[str, Fraction]
) -> tuple[Flow, set[Codes], set[str]]:
    """Return a largest flow, and the sets that compete where it falls short, with their defects."""
    sets = sorted(demands, key=lambda codes: (len(codes), sorted(codes)))
    flow: Flow = {(s, code): NOTHING for s in sets for code in sorted(s) if code in limits}
    left, free = dict(demands), dict(limits)
    while True:
        path, reached, tried = _path(sets, flow, left, free)
        if not path:
            return flow, reached, tried
        (first, _, _), (_, last, _) = path[0], path[-1]
        back_flows = [flow[codes, code] for codes, code, sign in path if sign < 0]
        amount = min(left[first], free[last], *back_flows)
        for codes, code, sign in path:
            flow[codes, code] += sign * amount
        left[first] -= amount
        free[last] -= amount


def _path(
    sets: list[Codes], flow: Flow, left: Mapping[Codes, Fraction], free: Mapping[str, Fraction]
) -> tuple[list[Step], set[Codes], set[str]]:
    """Return a shortest way from a set with a loss left to a defect with room, and its nodes.

    A step back takes a charge off a defect, for a set that another defect can carry.
    """
    ways: deque[tuple[Codes, list[Step]]] = deque((s, []) for s in sets if left[s] > 0)
    reached, tried = {codes for codes, _ in ways}, set[str]()
    while ways:
        codes, so_far = ways.popleft()
        for code in sorted((codes & free.keys()) - tried):
            tried.add(code)
            way = [*so_far, (codes, code, 1)]
            if free[code] > 0:
                return way, reached, tried
            for other in (s for s in sets if s not in reached and flow.get((s, code), NOTHING) > 0):
                reached.add(other)
                ways.append((other, [*way, (other, code, -1)]))
    return [], reached, tried
