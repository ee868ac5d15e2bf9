"""What was seen: how a process and each of its runs ended, and what came of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from grader.records.arrays import Array
from grader.records.unjudged import CallAttempt


class Ended(StrEnum):
    """How one request to a child ended. The candidate's doing, except the last two."""

    OK = "ok"
    RAISED = "raised"
    BAD_RETURN = "bad-return"
    MISSING = "missing"  # the function asked for is not defined
    TIMEOUT = "timeout"
    MEMORY_LIMIT = "memory-limit"
    OUTPUT_LIMIT = "output-limit"
    CRASH = "crash"
    VIOLATION = "sandbox-violation"
    FRAMEWORK = "framework"  # the NumPy part touched torch's stand-in
    NOT_RUN = "not-run"  # an earlier request took the process, or the time, away
    HARNESS = "harness"  # our fault: undecided, never a zero


@dataclass(frozen=True, slots=True)
class Frame:
    """One line of a traceback inside the submission's own files."""

    file: str
    line: int
    function: str


@dataclass(frozen=True, slots=True)
class FunctionOutline:
    """A function or class at module level; `line` is 0 where it was imported."""

    name: str
    line: int
    is_stub: bool


@dataclass(frozen=True, slots=True)
class LoadNote:
    """A statement at module level, or a notebook's cell, that raised and was left out."""

    file: str
    line: int
    kind: str
    text: str
    of_cell: bool = False

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.kind}: {self.text}"


@dataclass(frozen=True, slots=True)
class LayerNames:
    """A reusable layer: its kind, its class ("" for a function), and its two methods."""

    kind: str
    name: str
    forward: str
    backward: str


@dataclass(frozen=True, slots=True)
class Observation:
    """What one request gave. Everything here is untrusted, but well-formed.

    `arrays` are finite in size and of an allowed dtype, nothing more.
    `loss_type` is the type of the loss; `lossless` where no function gives one, `cacheless`
    where the candidate's style need not keep anything for backward. `paths` say where in the
    cache each array `cache{i}` stands. `problems` say by name why an array is not there,
    `failures` what a later pass of a stack raised; `layers` are those that were handed in.
    `error` is one line ("ValueError: shapes …"); `traceback` the whole text.
    `seconds` is the judge's clock, pipe included; `cpu_seconds` what the kernel
    charged to the child for it.
    """

    ended: Ended
    arrays: Mapping[str, Array] = field(default_factory=dict)
    loss_type: str = ""
    lossless: bool = False
    cacheless: bool = False
    paths: tuple[str, ...] = ()
    problems: Mapping[str, str] = field(default_factory=dict)
    failures: Mapping[str, str] = field(default_factory=dict)
    layers: tuple[LayerNames, ...] = ()
    error: str = ""
    traceback: str = ""
    frames: tuple[Frame, ...] = ()
    seconds: float = 0.0
    cpu_seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Return whether the call came back with something that fits the contract."""
        return self.ended is Ended.OK


@dataclass(frozen=True, slots=True)
class ProcessReport:
    """One child's life: how its submission loaded, what it printed, what confined it.

    `notes` are what was left out at module level, `stand_ins` the modules that were not
    there. `binding` says in which style the code is called, `deviations` where it strays from
    the course's contract, `alternatives` which further ways fit as well. `contract` is how it is
    called, as JSON that a rubric takes. `attempts` are the ways that were tried where none was
    found; `search_ended` says that the search took too long.
    """

    loaded: Observation
    functions: tuple[FunctionOutline, ...] = ()
    notes: tuple[LoadNote, ...] = ()
    stand_ins: tuple[str, ...] = ()
    binding: str = ""
    deviations: tuple[str, ...] = ()
    alternatives: tuple[str, ...] = ()
    contract: str = ""
    attempts: tuple[CallAttempt, ...] = ()
    search_ended: bool = False
    output: str = ""
    output_bytes: int = 0
    isolation: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Observations:
    """All that was seen of one submission; `runs` by step, such as `forward/primes`."""

    numpy: ProcessReport
    torch: ProcessReport
    runs: Mapping[str, Observation]

    def __getitem__(self, step: str) -> Observation:
        found = self.runs.get(step)
        return Observation(Ended.NOT_RUN) if found is None else found
