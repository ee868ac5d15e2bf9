"""The network as a graph: which tensors came out right, which did not, and where it began.

What the judge compared decides: the loss and the five gradients. What lies between
them is told by the fault that explains those numbers, and else by the trace, which is
the word of the submission's own process. No points hang on any of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from grader.checks.tensors import COMPARED, SPECIAL
from grader.checks.view import View, symbols
from grader.defects import BY_CODE, Repeat
from grader.defects.explanation import Account
from grader.defects.make import kind_of
from grader.diagnosis.diagnose import Diagnosis
from grader.diagnosis.numeric import UNEXPLAINED_GRADIENT, UNEXPLAINED_LOSS, code_of
from grader.diagnosis.tensors import INPUTS, NUMPY, SHAPES, STEPS, TORCH, Parents
from grader.observe.reading import NamedTrace, Reading
from grader.problem.network import LEAVES, Shows
from grader.records import CheckStatus, Defect, Finding, GraphNode, Part, Standing

BACKWARD_CHAIN = ("dZ2", "dH1", "dZ1")
FORWARD_CHAIN = ("Z1", "H1", "Z2")
LOADS = ("name", "attribute", "subscript")

Origins = dict[str, tuple[str, ...]]
"""By tensor, the codes of the defects that stand at it."""


def network(
    view: View, findings: Sequence[Finding], diagnosis: Diagnosis, traces: Mapping[str, NamedTrace]
) -> tuple[GraphNode, ...]:
    """Return the nodes of both parts; a part of which nothing was seen has none.

    `traces` by part, "numpy" and "torch", as far as they were taken.
    """
    found: list[GraphNode] = []
    for part, parents, explained in zip(
        ("numpy", "torch"), (NUMPY, TORCH), diagnosis.accounts, strict=True
    ):
        walk = _Walk(part, parents, explained, view, findings, diagnosis, traces.get(part))
        nodes = walk.nodes()
        if any(n.status not in (Standing.UNSEEN, Standing.GIVEN) for n in nodes):
            found += nodes
    return tuple(found)


@dataclass(frozen=True)
class _Sightings:
    """Where the trace shows a tensor itself, and where a multiple of it."""

    exact: Mapping[str, Reading] = field(default_factory=dict)
    multiple: Mapping[str, Reading] = field(default_factory=dict)
    any: bool = False

    def has(self, name: str) -> bool:
        return name in self.exact or name in self.multiple


def sightings(named: NamedTrace | None, names: Iterable[str]) -> _Sightings:
    """Return the first reading of each tensor in its own pass, not a load if possible."""
    if named is None or not named.readings:
        return _Sightings()
    wanted, exact, multiple = set(names), dict[str, Reading](), dict[str, Reading]()
    for reading in named.readings:
        if reading.name is None:
            continue
        base, own = reading.base, reading.name.exact
        if base == "P - onehot":
            base, own = "dZ2", False
        if base not in wanted or reading.at.phase not in (_phase(base), "torch"):
            continue
        kept = exact if own else multiple
        if base not in kept or (kept[base].at.kind in LOADS and reading.at.kind not in LOADS):
            kept[base] = reading
    return _Sightings(exact, multiple, True)


def _phase(name: str) -> str:
    return "backward" if name.startswith("d") else "forward"


class _Walk:
    """One part's tensors, decided in the order in which they are computed."""

    def __init__(
        self,
        part: str,
        parents: Parents,
        explained: Account | None,
        view: View,
        findings: Sequence[Finding],
        diagnosis: Diagnosis,
        named: NamedTrace | None,
    ) -> None:
        self.part, self.parents, self.seen, self.diagnosis = part, parents, view, diagnosis
        self.status = {f.check: f.status for f in findings}
        self.ancestors: dict[str, set[str]] = {}
        for name, own in parents.items():
            self.ancestors[name] = set(own).union(*(self.ancestors[n] for n in own))
        self.seen_in = sightings(named, parents)
        self.origins, self.rare = self._origins(explained)
        self.done: dict[str, GraphNode] = {}
        self.ordinary: Origins = {}  # because of which defects a tensor is wrong on ordinary inputs

    def nodes(self) -> list[GraphNode]:
        for name in self.parents:
            node = self._node(name)
            if node.status in (Standing.WRONG, Standing.FOLLOWS):
                self.ordinary[name] = node.because
            self.done[name] = self._placed(self._specially(node))
        return list(self.done.values())

    # ── what stands where ────────────────────────────────────────────────────

    def _origins(self, part: Account | None) -> tuple[Origins, Origins]:
        """Codes by tensor: those that show on ordinary inputs, and those that need not."""
        origins, rare = Origins(), Origins()
        for name, code in (*self._faults(part), *self._unreturned()):
            hidden = _is_rare(code) and self._compared("loss") is CheckStatus.PASS
            kept = rare if hidden else origins
            kept[name] = tuple(dict.fromkeys((*kept.get(name, ()), code)))
        for name, code in self._unexplained(part):
            origins.setdefault(name, (code,))
        return origins, rare

    def _faults(self, part: Account | None) -> Iterator[tuple[str, str]]:
        if part is None:
            return
        for culprit in part.culprits:
            code, step = code_of(culprit.fault, part), culprit.fault.step
            if step in LEAVES:
                names = [f"d{t}" for t in culprit.tensors] or [f"d{step}"]
            else:
                names = [STEPS.get(step, step)]
            if names[0] not in self.parents:  # autograd has no dZ1, and its loss no P of its own
                names = [f"d{t}" for t in culprit.tensors] or ["loss"]
            yield from ((name, code) for name in names)

    def _unreturned(self) -> Iterator[tuple[str, str]]:
        for defect in self.diagnosis.defects:
            if kind_of(defect).not_returned and _side(defect) == self.part:
                yield from ((f"d{t}", defect.code) for t in defect.tensors)

    def _unexplained(self, part: Account | None) -> Iterator[tuple[str, str]]:
        """What no fault predicts; the trace may show that it began further up."""
        left = set(part.explanation.unexplained) if part else set()
        if "loss" in left:
            yield self._began(FORWARD_CHAIN) or "loss", UNEXPLAINED_LOSS
        gradients = [t for t in LEAVES if t in left]
        above = {}
        if set(gradients) == set(LEAVES) and self._began(BACKWARD_CHAIN[:1]):
            above = dict.fromkeys(gradients, "dZ2")
        elif {"W1", "b1", "X"} <= set(gradients):
            began = self._began(BACKWARD_CHAIN[1:])
            above = dict.fromkeys(("W1", "b1", "X"), began) if began else {}
        for tensor in gradients:
            yield above.get(tensor) or f"d{tensor}", UNEXPLAINED_GRADIENT

    def _began(self, chain: Sequence[str]) -> str | None:
        """The first of a chain of steps that the trace does not show as it should be."""
        if not self.seen_in.any:
            return None
        return next((n for n in chain if n in self.parents and not self.seen_in.has(n)), None)

    # ── one tensor ───────────────────────────────────────────────────────────

    def _node(self, name: str) -> GraphNode:
        node = GraphNode(self.part, name, Standing.GIVEN, (), SHAPES[name])
        if name in INPUTS:
            return node
        verdict, own = self._compared(name), self.origins.get(name, ())
        if verdict is CheckStatus.PASS:
            return replace(node, status=Standing.RIGHT, measured=True)
        if verdict is CheckStatus.FAIL:
            missing = "not returned" if any(BY_CODE[c].not_returned for c in own) else ""
            return self._blamed(replace(node, measured=True, note=missing), own)
        return self._between(node, own)

    def _blamed(self, node: GraphNode, own: tuple[str, ...]) -> GraphNode:
        """A tensor whose numbers are wrong: through its own step, or through what came before."""
        if own:
            return replace(node, status=Standing.WRONG, because=own)
        above, told = self._above(node.name, self.ordinary), self._told(node.name)
        if above:
            shared = tuple(c for c in told if c in above)
            return replace(node, status=Standing.FOLLOWS, because=shared or above)
        own_side = (d for d in self.diagnosis.defects if _side(d) == self.part)
        alone = tuple(d.code for d in own_side if kind_of(d).repeat is Repeat.UNSTEADY)
        return replace(node, status=Standing.WRONG, because=told or alone)

    def _between(self, node: GraphNode, own: tuple[str, ...]) -> GraphNode:
        """A tensor that no check compares."""
        name, below = node.name, [self._compared(n) for n in self._below(node.name)]
        good = CheckStatus.PASS in below and CheckStatus.FAIL not in below
        if own and not good:
            return replace(node, status=Standing.WRONG, because=own)
        above = self._above(name, self.ordinary)
        if name in self.seen_in.exact:
            above = self._out_of_sight(name, above)
            if not above:
                return replace(node, status=Standing.RIGHT)
        if above and CheckStatus.FAIL in below:
            return replace(node, status=Standing.FOLLOWS, because=above)
        if good and name in self.seen_in.multiple:
            note = f"as {self.seen_in.multiple[name].name}"
            return replace(node, status=Standing.RIGHT, note=note)
        return replace(node, status=Standing.UNSEEN)

    def _out_of_sight(self, name: str, above: tuple[str, ...]) -> tuple[str, ...]:
        """Codes that spoil other cases than the traced one, where a tensor is right on that.

        Such as a bias along the wrong axis, which shows only where the sizes allow it.
        """
        right_there = {c for n in self.seen_in.exact for c in self.origins.get(n, ())}
        told = {c for end in self._below(name) for c in self._told(end)}
        return tuple(c for c in above if c in right_there and c in told)

    def _told(self, name: str) -> tuple[str, ...]:
        """The codes that explain why a tensor's comparison fails."""
        checks = COMPARED[self.part][name]
        return _distinct(c for check in checks for c in self.diagnosis.explained.get(check, ()))

    def _specially(self, node: GraphNode) -> GraphNode:
        """The same tensor on inputs that are not ordinary."""
        if node.status not in (Standing.RIGHT, Standing.UNSEEN):
            return node
        failing = [
            (check, when)
            for check, name, when in SPECIAL
            if name == node.name and self.status.get(check) is CheckStatus.FAIL
        ]
        own = self.rare.get(node.name, ())
        if self.part == "torch" or not (failing or own):
            return replace(node, status=Standing.WRONG, because=own) if own else node
        when = failing[0][1] if failing else "on extreme logits"
        told = _distinct(c for check, _ in failing for c in self.diagnosis.explained.get(check, ()))
        if not told:  # what no fault predicts may show here alone
            ends = {node.name, *self._below(node.name)}
            left = (d for d in self.diagnosis.defects if kind_of(d).unexplained)
            told = _distinct(d.code for d in left if ends & {f"d{t}" for t in d.tensors})
        came = {name: node.because for name, node in self.done.items()}
        passed_on = set(told) & set(self._above(node.name, came))
        status = Standing.FOLLOWS if passed_on and not own else Standing.WRONG
        return replace(node, status=status, because=own or told, note=when, measured=bool(failing))

    def _placed(self, node: GraphNode) -> GraphNode:
        """With the shape that it had and the line that computes it, as far as they were seen."""
        reading = self.seen_in.exact.get(node.name) or self.seen_in.multiple.get(node.name)
        shape = self._shape(node.name, reading)
        if node.status is Standing.WRONG:
            stands = [d for d in self.diagnosis.defects if d.code in node.because and d.line]
            stands = [d for d in stands if _side(d) == self.part]
            if stands:
                return replace(node, shape=shape, file=stands[0].file, line=stands[0].line)
        if reading is None or reading.at.kind in LOADS:
            return replace(node, shape=shape)
        return replace(node, shape=shape, file=reading.at.file, line=reading.at.line)

    def _shape(self, name: str, reading: Reading | None) -> str:
        sizes = self.seen.exam.paper.cases["primes"].sizes
        step = "torch" if self.part == "torch" else _phase(name)
        arrays = self.seen.observations[f"{step}/primes"].arrays
        came = arrays.get(name if name == "loss" else name[1:]) if name in _ENDS else None
        if came is not None:
            return symbols(came.shape, sizes)
        return symbols(reading.value.shape, sizes) if reading else SHAPES[name]

    # ── around it ────────────────────────────────────────────────────────────

    def _compared(self, name: str) -> CheckStatus | None:
        """PASS or FAIL where the judge compared the tensor's numbers, else None."""
        checks = COMPARED[self.part].get(name, ())
        came = [self.status.get(check) for check in checks]
        if CheckStatus.FAIL in came:
            return CheckStatus.FAIL
        passed = came and all(status is CheckStatus.PASS for status in came)
        return CheckStatus.PASS if passed else None

    def _above(self, name: str, codes: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
        """The codes at everything that a tensor is computed from."""
        above = self.ancestors[name]
        return _distinct(c for n in self.parents if n in above for c in codes.get(n, ()))

    def _below(self, name: str) -> list[str]:
        """The compared tensors that a tensor leads to, in its own pass."""
        ends = ("loss",) if _phase(name) == "forward" else tuple(f"d{t}" for t in LEAVES)
        return [end for end in ends if name in self.ancestors[end]]


_ENDS = ("loss", *(f"d{t}" for t in LEAVES))


def _side(defect: Defect) -> str:
    return "torch" if defect.part is Part.PYTORCH else "numpy"


def _is_rare(code: str) -> bool:
    """Whether a kind's faults need not show on ordinary inputs."""
    faults = BY_CODE[code].faults
    return bool(faults) and all(fault.shows is not Shows.ALWAYS for fault in faults)


def _distinct(codes: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(codes))
