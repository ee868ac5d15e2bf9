"""The program: its name, its help, its exit codes, and how errors are printed."""

from __future__ import annotations

import sys
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


@app.callback(invoke_without_command=True)
def options(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Options before the command."""
    if version:
        typer.echo(__version__)
        raise typer.Exit


def main(warming: Warming | None = None) -> None:
    """Run the `grader` command. Turns errors into one sentence and an exit status.

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
