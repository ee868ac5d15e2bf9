"""The commands on the results of a run: `grader view` and `grader export`."""

from __future__ import annotations

import sys
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from grader.cli.app import app
from grader.cli.options import existing, path_of
from grader.errors import CallerError


@app.command()
def view(
    out: Annotated[
        Path, typer.Argument(metavar="OUT", help="The --out of an earlier run.", parser=path_of)
    ] = Path("grader-out"),
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
    out: Annotated[
        Path, typer.Argument(metavar="OUT", help="The --out of an earlier run.", parser=path_of)
    ],
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

    folder = open_folder(existing(out), rubric)
    done = write(folder, to, output, worksheet=worksheet, assignment=assignment)
    Terminal().exported(done.written, done.count, done.left_out)


def _say(line: str) -> None:
    """Print a line at once, also for whoever reads from a pipe."""
    typer.echo(line)
    sys.stdout.flush()
