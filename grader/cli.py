"""The command line: words, options, exit codes. What is done is done below."""

from __future__ import annotations

import gc
import shutil
import sys
import threading
import webbrowser
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from grader import __version__
from grader.errors import CallerError, GraderError, HarnessError, RubricError
from grader.sandbox.warm import Warming

EXIT_BELOW, EXIT_CALL, EXIT_UNDECIDED = 1, 2, 3
EXIT_INTERRUPTED = 130
"""As shells have it: 128, and the number of the signal."""

app = typer.Typer(
    name="grader",
    help="Grades answers to: backprop for a two-layer network, by hand in NumPy, then with "
    "PyTorch autograd, and verify that the two agree.",
    epilog="Exit status: 0 graded; 1 below --fail-under; 2 the call, the rubric or the path is "
    "wrong; 3 a submission is undecided through a fault of the grader or the machine.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
rubric_app = typer.Typer(help="Check a rubric, or print its schema.", no_args_is_help=True)
app.add_typer(rubric_app, name="rubric")

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


@app.callback(invoke_without_command=True)
def options(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Options before the command."""
    if version:
        typer.echo(__version__)
        raise typer.Exit


@app.command()
def grade(
    call: typer.Context,
    submission: Annotated[
        Path, typer.Argument(metavar="SUBMISSION", help="A folder, .py, .ipynb, .zip or .tar.gz.")
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
    unsafe_no_sandbox: UnsafeOption = False,
) -> None:
    """Grade one submission: a summary here, report.html and result.json under --out."""
    del jobs  # accepted everywhere, of use to `cohort`
    from grader.intake import take_in
    from grader.observe.zygotes import Zygotes

    chosen, taken = _audience(audience), take_in(submission)
    _confinable(unconfined=unsafe_no_sandbox)
    with Zygotes(unconfined=unsafe_no_sandbox, only=taken, warming=call.obj) as zygotes:
        # The longest step, `import torch`, is under way; the rest is loaded beside it.
        from grader.cohort import Engine
        from grader.cohort.run import grade_one
        from grader.records import GradeStatus
        from grader.report import compile_pages
        from grader.terminal import Terminal

        terminal = Terminal()
        settings = _settings(seed, timeout, mend=mend, unconfined=unsafe_no_sandbox)
        engine = Engine(_rubric(rubric, contract), settings, zygotes)
        threading.Thread(target=compile_pages, daemon=True).start()
        gc.freeze()  # what is loaded by now stays: no collection need look at it again
        with terminal.waiting(f"grading {submission}"):
            result, page = grade_one(engine, taken, out, chosen)
    terminal.result(result, page)
    if result.grade.status is GradeStatus.UNDECIDED:
        raise typer.Exit(EXIT_UNDECIDED)
    if fail_under is not None and 100 * result.grade.fraction < fail_under:
        raise typer.Exit(EXIT_BELOW)


@app.command()
def cohort(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER_OR_ZIP",
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
    from grader.cohort.store import earlier_seed
    from grader.cohort.worker import Order
    from grader.intake import find_cohort
    from grader.json_lines import JsonLines
    from grader.terminal import Terminal

    terminal = JsonLines() if json_lines else Terminal()
    chosen = _audience(audience)
    handed_in, checked = find_cohort(_existing(folder)), _rubric(rubric, contract)
    found = handed_in.found
    if seed is None and not fresh:
        seed = earlier_seed(out)
    _confinable(unconfined=unsafe_no_sandbox)
    settings = _settings(seed, timeout, mend=mend, unconfined=unsafe_no_sandbox)
    order = Order(checked, settings, chosen)
    try:
        with _workforce(order, scheduler) as workforce, terminal.progress(len(found)) as tell:
            graded = grade_cohort(
                order, found, out, jobs=jobs or cores(), fresh=fresh, workforce=workforce, tell=tell
            )
            write_cohort(order, folder.resolve().name, graded, out)
    except (KeyboardInterrupt, GraderError) as error:
        terminal.cut_short()
        if isinstance(error, KeyboardInterrupt):
            raise typer.Exit(EXIT_INTERRUPTED) from None
        raise
    terminal.cohort(graded, out)
    terminal.left_out(handed_in)
    if terminal.pace.undecided:
        raise typer.Exit(EXIT_UNDECIDED)
    if fail_under is not None and any(_percent(g.document) < fail_under for g in graded):
        raise typer.Exit(EXIT_BELOW)


@app.command()
def view(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The --out of an earlier run.")] = Path(
        "grader-out"
    ),
    review: Annotated[
        bool,
        typer.Option(
            "--review", help="Mark, override and comment, on pages served to this machine."
        ),
    ] = False,
    rubric: Annotated[
        Path | None,
        typer.Option("--rubric", metavar="FILE", help="With --review: where it is not beside OUT."),
    ] = None,
    reviewer: Annotated[
        str, typer.Option("--as", metavar="NAME", help="With --review: who marks (default: you).")
    ] = "",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="With --review (default: any).")
    ] = 0,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="With --review: open the browser.")
    ] = True,
) -> None:
    """Open the report of an earlier run in the browser; with --review, to mark it."""
    if review:
        from grader.review import open_folder
        from grader.review.serve import serve

        folder = open_folder(out, rubric)
        serve(folder, port=port, reviewer=reviewer, browser=browser, tell=_say)
        return
    pages = [out / "index.html", out / "report.html"] if out.is_dir() else [out]
    page = next((p for p in pages if p.is_file() and p.suffix == ".html"), None)
    if page is None:
        raise CallerError(f"{out}: no report here; `grader grade` and `grader cohort` write one")
    address = page.resolve().as_uri()
    if not webbrowser.open(address):
        typer.echo(f"No browser could be started. The report is {address}")


@app.command()
def export(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The --out of an earlier run.")],
    to: Annotated[
        str,
        typer.Option(
            "--to", metavar="FORMAT", help="csv, json, gradescope, canvas, moodle or junit."
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", metavar="PATH", help="Where it goes (default: into OUT)."),
    ] = None,
    worksheet: Annotated[
        Path | None,
        typer.Option("--worksheet", metavar="FILE", help="moodle: the grading worksheet to fill."),
    ] = None,
    assignment: Annotated[
        str,
        typer.Option("--assignment", metavar="TITLE", help="canvas: as there, “Title (12345)”."),
    ] = "",
    rubric: Annotated[
        Path | None,
        typer.Option("--rubric", metavar="FILE", help="Where it is not beside the results."),
    ] = None,
) -> None:
    """Write the results, with the marks of humans, as a file that another system takes."""
    from grader.export import export as write
    from grader.review import open_folder
    from grader.terminal import Terminal

    folder = open_folder(_existing(out), rubric)
    done = write(folder, to, output, worksheet=worksheet, assignment=assignment)
    Terminal().exported(done.written, done.count, done.left_out)


@rubric_app.command("check")
def rubric_check(file: Annotated[Path, typer.Argument(metavar="FILE")]) -> None:
    """Say what is wrong in a rubric or a contract, line by line, and what to write instead."""
    from grader.rubric import holds_contract_alone, load_contract

    if holds_contract_alone(file):
        typer.echo(f"{file}: a valid contract, “{load_contract(file).title}”")
        return
    checked = _rubric(file)
    items = sum(len(part.items) for part in checked.parts)
    size = f"{len(checked.parts)} parts, {items} items"
    size += f", with the contract “{checked.contract.title}”" if checked.contract else ""
    typer.echo(f"{file}: a valid rubric, “{checked.title}”, {size}")


@rubric_app.command("schema")
def rubric_schema_command() -> None:
    """Print the JSON Schema of a rubric, for editors."""
    import json

    from grader.rubric import rubric_schema

    typer.echo(json.dumps(rubric_schema(), indent=2))


@app.command()
def new(folder: Annotated[Path, typer.Argument(metavar="FOLDER")]) -> None:
    """Write a starter submission to hand to candidates."""
    from grader.bundled import PACKAGE

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise CallerError(f"{folder} exists already; name a folder that does not")
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PACKAGE / "starter", folder, dirs_exist_ok=True, ignore=ignore)
    typer.echo(f"Wrote {folder}: hand it to the candidate, who fills in solution.py.")


@app.command()
def explain(
    code: Annotated[str, typer.Argument(metavar="CODE", help="As in a report; `all` lists them.")],
) -> None:
    """What a check or a defect code means."""
    from grader.explain import explanation
    from grader.terminal import Terminal

    Terminal().text(explanation(code))


@app.command()
def doctor() -> None:
    """What this machine can isolate, proven by trying, and the versions in use."""
    from grader.doctor import examine
    from grader.terminal import Terminal

    facts = examine()
    Terminal().facts(facts)
    if not facts.usable:
        raise typer.Exit(EXIT_UNDECIDED)


# ── helpers ──────────────────────────────────────────────────────────────────


def _rubric(file: Path | None, contract: Path | None = None):  # type: ignore[no-untyped-def]
    """The rubric, with the contract of the file `contract` in place of its own."""
    from grader.bundled import bundled
    from grader.checks import ALL_CHECKS
    from grader.diagnosis.codes import CODES
    from grader.rubric import load_contract, load_rubric  # pydantic takes a while

    path = file or bundled("rubrics") / "onsite.yaml"
    loaded = load_rubric(path, [c.id for c in ALL_CHECKS], [c.code for c in CODES])
    return replace(loaded, contract=load_contract(contract)) if contract else loaded


def _settings(seed: int | None, timeout: float, *, mend: bool, unconfined: bool):  # type: ignore[no-untyped-def]
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
def _workforce(order, scheduler: str | None):  # type: ignore[no-untyped-def]
    """The cluster behind a scheduler's address; None for this machine's own crew."""
    if scheduler is None:
        yield None
        return
    try:
        from grader.cohort.cluster import Cluster, connected
    except ModuleNotFoundError as error:
        raise CallerError(
            f"--scheduler needs Dask ({error.name} is missing): pip install 'backprop-grader[dask]'"
        ) from error
    with connected(scheduler) as client:
        yield Cluster(order, client)


def _confinable(*, unconfined: bool) -> None:
    """Raises `HarnessError` where a stranger's code cannot be run at all."""
    if not unconfined and sys.platform != "linux":
        raise HarnessError(
            "this system cannot confine a stranger's code (Linux can); for submissions that you "
            "trust as your own code there is --unsafe-no-sandbox"
        )


def _audience(word: str):  # type: ignore[no-untyped-def]
    if word not in ("interviewer", "candidate"):
        raise CallerError(f"--audience is interviewer or candidate, not {word!r}")
    return word


def _existing(path: Path) -> Path:
    if not path.exists():
        raise CallerError(f"{path}: there is no such file or folder")
    return path


def _say(line: str) -> None:
    """A line that is seen at once, also by whoever reads from a pipe."""
    typer.echo(line)
    sys.stdout.flush()


def _percent(document: dict[str, float]) -> float:
    return 100.0 * document["score"] / document["max_score"] if document["max_score"] else 0.0


def main(warming: Warming | None = None) -> None:
    """The `grader` command. Turns errors into one sentence and an exit status.

    `warming` imports torch already, for a call that will want it.
    """
    try:
        app(obj=warming)
    except RubricError as error:
        for line in error.problems:
            typer.echo(line, err=True)
        sys.exit(EXIT_CALL)
    except CallerError as error:
        typer.echo(f"grader: {error}", err=True)
        sys.exit(EXIT_CALL)
    except HarnessError as error:
        typer.echo(f"grader: {error}\n`grader doctor` says what this machine can do.", err=True)
        sys.exit(EXIT_UNDECIDED)
    except GraderError as error:
        typer.echo(f"grader: {error}", err=True)
        sys.exit(EXIT_UNDECIDED)
