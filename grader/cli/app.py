"""The program: its name, its help, its exit codes, and how errors are printed."""

from __future__ import annotations

import errno
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from grader import __version__
from grader.cli.outlet import lasting
from grader.errors import CallerError, GraderError, HarnessError, RubricError
from grader.sandbox.warm import Warming

EXIT_GRADED, EXIT_BELOW, EXIT_CALL, EXIT_UNDECIDED = 0, 1, 2, 3
EXIT_INTERRUPTED = 130
"""As shells have it: 128, and the number of the signal."""

USAGE_ERROR: type[Exception] = next(
    kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException"
)
"""What every wrong option and argument is, from `click` or from the copy of it in `typer`."""

PATH_ERRORS = frozenset({
    *(errno.ENOENT, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EISDIR, errno.EEXIST),
    *(errno.ENAMETOOLONG, errno.ELOOP, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.ENOTEMPTY),
})  # fmt: skip
"""With which the caller's own path is at fault, and not the machine."""

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
    sys.stdout, sys.stderr = lasting(sys.stdout), lasting(sys.stderr)
    status = status_of(lambda: app(obj=warming, standalone_mode=False))
    sys.exit(status or status_of(sys.stdout.flush))


def status_of(call: Callable[[], object]) -> int:
    """Return the exit status of a call; whatever goes wrong in it is said in one sentence.

    1 means "below --fail-under" and nothing else, so only the call itself can give it.
    """
    try:
        status = call()
    except RubricError as error:
        return _say("\n".join(error.problems), EXIT_CALL)
    except CallerError as error:
        return _say(f"grader: {error}", EXIT_CALL)
    except HarnessError as error:
        words = f"grader: {error}\n`grader doctor` says what this machine can do."
        return _say(words, EXIT_UNDECIDED)
    except GraderError as error:
        return _say(f"grader: {error}", EXIT_UNDECIDED)
    except (KeyboardInterrupt, typer.Abort):
        return _say("grader: interrupted", EXIT_INTERRUPTED)
    except OSError as error:
        return _of_system(error)
    except Exception as error:
        return _of_usage(error) if isinstance(error, USAGE_ERROR) else _of_ours(error)
    return status if isinstance(status, int) else EXIT_GRADED


def _of_usage(error: Exception) -> int:
    """Say what is wrong in the words of the call, and which help there is."""
    words = str(getattr(error, "format_message", lambda: error)()).strip()
    context = getattr(error, "ctx", None)
    if not words or "\n" in words:  # the help, of a command that was called with nothing
        return _say(words, EXIT_CALL) if words else EXIT_CALL
    path = context.command_path if context is not None else "grader"
    return _say(f"grader: {words.rstrip('.')}. `{path} -h` says how it is called.", EXIT_CALL)


def _of_system(error: OSError) -> int:
    """Say which path cannot be used; without one, or for want of resources, it is the machine."""
    why = error.strerror or type(error).__name__
    named = f"{error.filename}: {why}" if error.filename else why
    return _say(f"grader: {named}", EXIT_CALL if error.errno in PATH_ERRORS else EXIT_UNDECIDED)


def _of_ours(error: Exception) -> int:
    """Say that the grader is at fault, and where."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    what = " ".join(f"{type(error).__name__}: {error}".split())[:300]
    return _say(f"grader: a fault of the grader, please report it: {what}{where}", EXIT_UNDECIDED)


def _say(words: str, status: int) -> int:
    typer.echo(words, err=True)
    return status
