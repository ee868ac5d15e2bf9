"""The command line: commands, options and exit codes."""

from grader.cli import grading, results, preparing  # isort: skip  # each brings its commands
from grader.cli.app import app, main

__all__ = ["app", "grading", "main", "preparing", "results"]
