"""The command's first steps: `grader`, and `python -m grader`."""

import sys
from contextlib import nullcontext


def run() -> None:
    """Start what takes longest, and read the command line beside it.

    The first folder of the path is the current one, where strangers' files may lie, or the
    command's own: it goes before anything more is imported.
    """
    if not sys.flags.safe_path:
        sys.path.pop(0)
    words = sys.argv[1:]
    try:
        if not _grades(words):
            _command(words)
            return
        from grader.supervision import supervised

        sys.exit(supervised(_command, words))
    except KeyboardInterrupt:  # before or after `main`, which says so itself
        if sys.stderr is not None:
            print("grader: interrupted", file=sys.stderr)
        sys.exit(130)


def _command(words: list[str]) -> None:
    """Run the command line, with torch on its way where it will be wanted."""
    from grader.sandbox.warm import Warming

    sys.argv[1:] = words
    with Warming(("torch",)) if _grades(words) else nullcontext() as warming:
        from grader.cli import main

        main(warming)


def _grades(words: list[str]) -> bool:
    """Whether this will be graded in a confined process, as far as can be seen at a glance."""
    others = {"-h", "--help", "--unsafe-no-sandbox"}
    return words[:1] == ["grade"] and sys.platform == "linux" and others.isdisjoint(words)


if __name__ == "__main__":
    run()
