"""`python -m grader`, with the current folder off the path: strangers' files may lie there."""

import sys


def run() -> None:
    """Take the folder off the path before anything more is imported."""
    if not sys.flags.safe_path:
        sys.path.pop(0)
    from grader.cli import main

    main()


run()
