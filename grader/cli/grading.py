"""`grader grade` and `grader cohort`."""

from __future__ import annotations

import gc
import shlex
import sys
import threading
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grader.cli.app import EXIT_BELOW, EXIT_INTERRUPTED, EXIT_UNDECIDED, app
from grader.cli.options import (
    AudienceOption,
    ContractOption,
    FailUnderOption,
    MendOption,
    OutOption,
    RubricOption,
    SeedOption,
    TimeoutOption,
    UnsafeOption,
    chosen_audience,
    chosen_rubric,
    existing,
    path_of,
    usable_out,
)
from grader.errors import CallerError, GraderError, HarnessError

if TYPE_CHECKING:  # the engine takes a while, and a first zygote does not wait for it
    from collections.abc import Iterator

    from grader.cohort import Settings
    from grader.cohort.worker import Order
    from grader.cohort.workforce import Workforce
    from grader.intake import Cohort

MOST_GROUPS = 12
"""Groups of names that look alike, shown on the cohort's page."""


@app.command()
def grade(
    call: typer.Context,
    submission: Annotated[
        Path,
        typer.Argument(
            metavar="SUBMISSION", help="A folder, .py, .ipynb, .zip or .tar.gz.", parser=path_of
        ),
    ],
    rubric: RubricOption = None,
    contract: ContractOption = None,
    out: OutOption = Path("grader-out"),
    seed: SeedOption = None,
    audience: AudienceOption = "interviewer",
    fail_under: FailUnderOption = None,
    timeout: TimeoutOption = 10.0,
    mend: MendOption = True,
    jobs: Annotated[int, typer.Option("--jobs", hidden=True)] = 1,
    numbers_only: Annotated[bool, typer.Option("--numbers-only", hidden=True)] = False,
    unsafe_no_sandbox: UnsafeOption = False,
) -> None:
    """Grade one submission: a summary here, report.html and result.json under --out."""
    del jobs  # accepted everywhere, of use to `cohort`
    from grader.intake import take_in
    from grader.observe.zygotes import Zygotes

    _confinable(unconfined=unsafe_no_sandbox)
    with ExitStack() as stack:
        if call.obj is not None:  # there is a process that waits, and knows what to do then
            from grader.bounds import bounded

            stack.enter_context(bounded())
        chosen, out = chosen_audience(audience), usable_out(out, existing(submission))
        _one_answer(submission, out)
        answer = take_in(submission, leave_out=out)
        zygotes = stack.enter_context(
            Zygotes(unconfined=unsafe_no_sandbox, only=answer, warming=call.obj)
        )
        # The longest step, `import torch`, is under way; the rest is loaded beside it.
        from grader.cohort import Engine
        from grader.cohort.run import grade_one
        from grader.cohort.worker import by_numbers
        from grader.records import GradeStatus
        from grader.report import compile_pages
        from grader.terminal import Terminal

        terminal = Terminal()
        settings = _settings(seed, timeout, mend=mend, unconfined=unsafe_no_sandbox)
        engine = Engine(chosen_rubric(rubric, contract), settings, zygotes)
        threading.Thread(target=compile_pages, daemon=True).start()
        gc.freeze()  # what is loaded by now stays: no collection need look at it again
        with terminal.waiting(f"grading {submission}"):
            judged = by_numbers(answer) if numbers_only else answer
            result, page = grade_one(engine, judged, out, chosen)
    terminal.result(result, page)
    if result.grade.status is GradeStatus.UNDECIDED:
        raise typer.Exit(EXIT_UNDECIDED)
    judged_low = result.grade.status is GradeStatus.GRADED
    if judged_low and fail_under is not None and 100 * result.grade.fraction < fail_under:
        raise typer.Exit(EXIT_BELOW)


def _one_answer(submission: Path, out: Path) -> None:
    """Raises `CallerError` where a folder holds the answers of several candidates."""
    from grader.intake import several_answers

    names = several_answers(submission, out) if submission.is_dir() else ()
    if names:
        listed = ", ".join(names[:MOST_GROUPS])
        more = f" and {len(names) - MOST_GROUPS} more" if len(names) > MOST_GROUPS else ""
        raise CallerError(
            f"{submission} holds several whole answers ({listed}{more}), which are graded with "
            f"`grader cohort {shlex.quote(str(submission))}`; to grade one alone, name it: "
            f"`grader grade {shlex.quote(str(submission / names[0]))}`"
        )


@app.command()
def cohort(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER_OR_ZIP",
            parser=path_of,
            help="A folder or archive with one submission per entry, or an export of Gradescope, "
            "Canvas, Moodle, nbgrader or GitHub Classroom.",
        ),
    ],
    rubric: RubricOption = None,
    contract: ContractOption = None,
    out: OutOption = Path("grader-out"),
    seed: SeedOption = None,
    jobs: Annotated[
        int | None, typer.Option("--jobs", min=1, help="Submissions at a time (default: cores).")
    ] = None,
    audience: AudienceOption = "interviewer",
    fail_under: FailUnderOption = None,
    timeout: TimeoutOption = 10.0,
    mend: MendOption = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Keep nothing of an earlier run.")] = False,
    scheduler: Annotated[
        str | None,
        typer.Option("--scheduler", metavar="ADDRESS", help="Grade on a Dask cluster instead."),
    ] = None,
    json_lines: Annotated[
        bool, typer.Option("--json-lines", help="For programs: one JSON object a line.")
    ] = False,
    unsafe_no_sandbox: UnsafeOption = False,
) -> None:
    """Grade every submission in a folder or export; a second run grades only what changed."""
    from grader.cohort.cores import cores
    from grader.cohort.run import grade_cohort, write_cohort
    from grader.cohort.worker import Order
    from grader.intake import find_cohort
    from grader.json_lines import JsonLines
    from grader.report.stored import fraction_of
    from grader.terminal import Terminal

    terminal = JsonLines() if json_lines else Terminal()
    chosen = chosen_audience(audience)
    out = usable_out(out, existing(folder))
    handed_in, checked = find_cohort(folder, leave_out=out), chosen_rubric(rubric, contract)
    entries = handed_in.entries
    _confinable(unconfined=unsafe_no_sandbox)
    settings = _settings(seed, timeout, mend=mend, unconfined=unsafe_no_sandbox)
    order = Order(checked, settings, chosen)
    try:
        count, processes = len(entries), jobs or cores()
        with _workforce(order, scheduler) as workforce, terminal.progress(count) as tell:
            graded = grade_cohort(
                order,
                entries,
                out,
                jobs=processes,
                fresh=fresh,
                repeat=seed is not None,
                workforce=workforce,
                tell=tell,
            )
            facts = cohort_facts(handed_in)
            write_cohort(order, folder.resolve().name, graded, out, facts)
    except (KeyboardInterrupt, GraderError) as error:
        terminal.cut_short()
        if isinstance(error, KeyboardInterrupt):
            raise typer.Exit(EXIT_INTERRUPTED) from None
        raise
    terminal.cohort(graded, out)
    terminal.left_out(handed_in)
    if terminal.pace.undecided:
        raise typer.Exit(EXIT_UNDECIDED)
    if fail_under is not None and any(
        100 * share < fail_under for g in graded if (share := fraction_of(g.document)) is not None
    ):
        raise typer.Exit(EXIT_BELOW)


def cohort_facts(cohort: Cohort) -> dict[str, str]:
    """Return what the cohort's page says of how it was read, and of names that look alike."""
    facts = {} if cohort.layout == "plain" else {"Read as an export of": cohort.layout}
    if cohort.alike:
        groups = [" and ".join(group) for group in cohort.alike[:MOST_GROUPS]]
        facts["Names that look alike"] = "; ".join(groups)
    return facts


def _settings(seed: int | None, timeout: float, *, mend: bool, unconfined: bool) -> Settings:
    from grader.cohort import Settings
    from grader.cohort.engine import fresh_seed
    from grader.observe.observe import Allowance
    from grader.sandbox.control import Limits

    limits = Limits(cpu_seconds=max(1, int(2 * timeout)))
    return Settings(
        seed=fresh_seed() if seed is None else seed,
        allowance=Allowance(timeout, limits),
        unconfined=unconfined,
        mends=mend,
    )


@contextmanager
def _workforce(order: Order, scheduler: str | None) -> Iterator[Workforce | None]:
    """Return the cluster behind a scheduler's address; None for this machine's own crew."""
    if scheduler is None:
        yield None
        return
    try:
        from grader.cohort.cluster import Cluster, connect
    except ModuleNotFoundError as error:
        raise CallerError(
            f"--scheduler needs Dask ({error.name} is missing): pip install 'backprop-grader[dask]'"
        ) from error
    with connect(scheduler) as client:
        yield Cluster(order, client)


def _confinable(*, unconfined: bool) -> None:
    """Raises `HarnessError` where a stranger's code cannot be run at all."""
    if not unconfined and sys.platform != "linux":
        raise HarnessError(
            "this system cannot confine a stranger's code (Linux can); for submissions that you "
            "trust as your own code there is --unsafe-no-sandbox"
        )
