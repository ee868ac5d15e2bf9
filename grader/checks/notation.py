"""What the names and letters of one source stand for: tensors of the problem, and its sizes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from grader.observe.trace import TracedValue
from grader.source.shapes.statements import StatedShapes, Statement
from grader.source.shapes.subjects import Referent
from grader.source.shapes.words import FIXED, SIZES, USUAL, Shape, shape_of, tensor_name


@dataclass(frozen=True, slots=True)
class Truth:
    """What a subject is: its shape, its tensors by the names of the problem, and who says so.

    `values` are what the trace saw; empty when only the name tells.
    """

    shape: Shape
    tensor: str
    values: tuple[TracedValue, ...] = ()


# ── what a name stands for ───────────────────────────────────────────────────


class TracedNames:
    """The traced values of one file, by place and by name."""

    def __init__(self, values: Sequence[TracedValue], lines: Sequence[str]) -> None:
        self.places: dict[tuple[int, int, int, int], list[TracedValue]] = {}
        self.names: dict[tuple[str, str], list[TracedValue]] = {}
        self.anywhere: dict[str, list[TracedValue]] = {}
        for value in values:
            place = (value.line, value.col, value.end_line, value.end_col)
            self.places.setdefault(place, []).append(value)
            if value.kind in ("name", "attribute") and value.line == value.end_line:
                line = lines[value.line - 1]
                text = line if line.isascii() else line.encode("utf-8", "replace")
                code = text[value.col : value.end_col]
                name = code if isinstance(code, str) else code.decode("utf-8", "replace")
                name = name.rpartition(".")[2]
                self.names.setdefault((value.function, name), []).append(value)
                self.anywhere.setdefault(name, []).append(value)

    def named(self, function: str, name: str) -> list[TracedValue]:
        """Return the values of a variable of a function; of the whole file where that is ""."""
        return self.names.get((function, name), []) if function else self.anywhere.get(name, [])


@dataclass
class Notation:
    """One file's statements beside what the trace and the problem say about them."""

    path: str
    source: StatedShapes
    traced: TracedNames
    sizes: Mapping[str, int]
    local: dict[tuple[str, str], Counter[str]] = field(default_factory=dict)
    wide: dict[str, Counter[str]] = field(default_factory=dict)
    defined: dict[tuple[str, str], str] = field(default_factory=dict)
    defined_wide: dict[str, set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for found in self.source.definitions:
            truth = self.truth(Referent(found.name), found.function)
            if truth is not None and found.axis < len(truth.shape):
                size = truth.shape[found.axis]
                self.defined[found.function, found.letter] = size
                self.defined_wide.setdefault(found.letter, set()).add(size)
        for statement in self.source.statements:
            truths = [self.truth(s, statement.function) for s in statement.subjects]
            fits = {t.shape for t in truths if t and len(t.shape) == len(statement.shape)}
            if len(fits) == 1:
                for token, size in zip(statement.shape, fits.pop(), strict=True):
                    at = self.local.setdefault((statement.function, token), Counter())
                    at[size] += 1
                    self.wide.setdefault(token, Counter())[size] += 1

    def symbols(self, shape: tuple[int, ...]) -> Shape:
        names = {self.sizes[size]: size for size in SIZES}
        return tuple(names.get(length, str(length)) for length in shape)

    def truth(self, subject: Referent, function: str) -> Truth | None:
        """Return what is known of a subject; None when nothing is, or different things at times."""
        word = subject.name
        transposed = word.endswith(".T")
        word = word.removesuffix(".T").removesuffix(".shape").rpartition(".")[2]
        tensor = tensor_name(word)
        values = self.traced.places.get(subject.span, []) if subject.span else []
        values = values or (self.traced.named(function, word) if word else [])
        if values:
            shapes = {a.shape for v in values for a in (v.value, v.last) if a is not None}
            if len(shapes) != 1:
                return None
            found = Truth(self.symbols(shapes.pop()), tensor, tuple(values))
        else:
            shape = shape_of(tensor)
            if shape is None:
                return None
            found = Truth(shape, tensor)
        return Truth(found.shape[::-1], "", ()) if transposed else found

    # ── what a letter stands for ─────────────────────────────────────────────

    def letter(self, token: str, function: str, *, sure: bool) -> str | None:
        """Return the size that a token means in a function, None where that is not clear.

        What the code itself defines comes first, then the problem's own letters, then
        consistent use. In text on things without a name of the problem (not `sure`), a
        letter may be a local one: it is not held against anybody there.
        """
        if token == "1" or ".shape" in token:
            return self._size(token, function)
        own = self.defined.get((function, token)) or self._counted(function, token)
        if own:
            return own
        wide = self.defined_wide.get(token, set())
        fixed = next(iter(wide)) if len(wide) == 1 else FIXED.get(token)
        usual = fixed or USUAL.get(token.lower())
        here = self.local.get((function, token), Counter())
        if fixed and sure:
            return fixed
        if len(here) == 1:
            (size, count), *_ = here.items()
            if size == usual:
                return size
            everywhere = self.wide.get(token, Counter())
            steady = count > 1 or (len(everywhere) == 1 and everywhere[size] > 1)
            return size if steady and not fixed else None
        return usual if fixed or not here or usual in here else None

    def _counted(self, function: str, name: str) -> str | None:
        """The size that a variable held, where it held one."""
        values = self.traced.named(function, name) if function else []
        if any(v.value.ndim or v.value.dtype.kind != "i" for v in values):
            return None
        held = {int(a) for v in values for a in (v.value, v.last) if a is not None}
        return self.symbols((held.pop(),))[0] if len(held) == 1 else None

    def _size(self, token: str, function: str) -> str | None:
        owner, _, axis = token.partition(".shape")
        if not axis:
            return token
        truth, at = self.truth(Referent(owner), function), int(axis[1:-1])
        return truth.shape[at] if truth and at < len(truth.shape) else None

    def stated(self, statement: Statement, *, sure: bool) -> Shape | None:
        """Return the stated shape in the problem's symbols, None where a letter is not clear."""
        code = statement.shape
        if len(code) == 1 and code[0].endswith(".shape"):
            truth = self.truth(Referent(code[0].removesuffix(".shape")), statement.function)
            return truth.shape if truth else None
        sizes = [self.letter(token, statement.function, sure=sure) for token in code]
        return tuple(s for s in sizes if s) if all(sizes) else None
