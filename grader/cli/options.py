"""The options that commands share, and the reading of their values."""

from __future__ import annotations

import math
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grader.errors import CallerError

if TYPE_CHECKING:  # pydantic and the pages take a while
    from grader.report.views import Audience
    from grader.rubric import Rubric


def path_of(text: str | Path) -> Path:
    """Return the path that a word names. Raises `BadParameter` for an empty one.

    An unset variable of a shell's gives one; it would stand for the current folder.
    """
    if not str(text):
        raise typer.BadParameter("the path is empty; name a file or a folder")
    return Path(text)


def finite(number: float | None) -> float | None:
    """Return `number`. Raises `BadParameter` for one that compares with nothing."""
    if number is not None and not math.isfinite(number):
        raise typer.BadParameter(f"{number} is not a finite number")
    return number


RubricOption = Annotated[
    Path | None,
    typer.Option("--rubric", metavar="FILE", help="The rubric (default: the bundled onsite.yaml)."),
]
ContractOption = Annotated[
    Path | None,
    typer.Option(
        "--contract", metavar="FILE",
        help="How the answers of this course are called (default: the rubric's `contract:`, or "
        "the canonical form).",
    ),
]  # fmt: skip
OutOption = Annotated[
    Path, typer.Option("--out", metavar="DIR", help="Where the pages go.", parser=path_of)
]
SeedOption = Annotated[
    int | None,
    typer.Option(
        "--seed", min=0, max=(1 << 63) - 1,
        help="Repeat a run with the seed that its report gives (default: fresh and secret).",
    ),
]  # fmt: skip
AudienceOption = Annotated[
    str,
    typer.Option(
        "--audience", metavar="interviewer|candidate",
        help="Whom the pages are for: candidates see no expected values.",
    ),
]  # fmt: skip
FailUnderOption = Annotated[
    float | None,
    typer.Option(
        "--fail-under", metavar="PERCENT", min=0, max=100, callback=finite,
        help="Exit with 1 when a score is lower.",
    ),
]  # fmt: skip
TimeoutOption = Annotated[
    float,
    typer.Option(
        "--timeout", metavar="SECONDS", min=0.5, max=3600, callback=finite,
        help="For each part of a submission.",
    ),
]  # fmt: skip
MendOption = Annotated[
    bool,
    typer.Option(
        "--mend/--no-mend",
        help="Try small edits of wrong lines, and show those with which the checks pass.",
    ),
]
UnsafeOption = Annotated[
    bool,
    typer.Option(
        "--unsafe-no-sandbox",
        help="Run the code UNCONFINED, with your rights. For your own code only; every page is "
        "stamped UNISOLATED.",
    ),
]


def chosen_rubric(file: Path | None, contract: Path | None = None) -> Rubric:
    """Return the rubric, with the contract of the file `contract` in place of its own.

    Raises `RubricError` with what is wrong in either, `CallerError` where one cannot be read.
    """
    from grader.bundled import bundled
    from grader.checks import ALL_CHECKS
    from grader.defects import KINDS
    from grader.rubric import load_contract, load_rubric

    path = file or bundled("rubrics") / "onsite.yaml"
    loaded = load_rubric(path, [c.id for c in ALL_CHECKS], [c.code for c in KINDS])
    return replace(loaded, contract=load_contract(contract)) if contract else loaded


def chosen_audience(word: str) -> Audience:
    """Return whom the pages are for. Raises `CallerError`."""
    known: dict[str, Audience] = {"interviewer": "interviewer", "candidate": "candidate"}
    if word not in known:
        raise CallerError(f"--audience is interviewer or candidate, not {word!r}")
    return known[word]


def existing(path: Path) -> Path:
    """Return `path`, if something is there. Raises `CallerError`."""
    if not path.exists():
        raise CallerError(f"{path}: there is no such file or folder")
    return path


def usable_out(out: Path, source: Path) -> Path:
    """Return `out`, if results may be written there. Raises `CallerError`.

    Not into what is graded: the next run would read its own pages as an answer.
    """
    standing = next(path for path in (out, *out.absolute().parents) if path.exists())
    if not standing.is_dir():
        raise CallerError(f"--out {out}: {standing} is a file; name a folder")
    if not os.access(standing, os.W_OK | os.X_OK):
        raise CallerError(f"--out {out}: {standing} cannot be written")
    results = (out.resolve(), out.resolve() / "submissions")
    if source.is_dir() and source.resolve() in results:
        raise CallerError(f"--out {out} is what is to be graded; name another folder")
    return out
