"""The options that commands share, and the reading of their values."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grader.errors import CallerError

if TYPE_CHECKING:  # pydantic and the pages take a while
    from grader.report.views import Audience
    from grader.rubric import Rubric

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
OutOption = Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the pages go.")]
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
        "--fail-under", metavar="PERCENT", min=0, max=100,
        help="Exit with 1 when a score is lower.",
    ),
]  # fmt: skip
TimeoutOption = Annotated[
    float,
    typer.Option("--timeout", metavar="SECONDS", min=0.5, help="For each part of a submission."),
]
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
