"""The command line: commands, options and exit codes."""

from grader.cli import grading, results, agreement, preparing  # isort: skip  # each brings its commands
from grader.cli.app import app, main

__all__ = ["agreement", "app", "grading", "main", "preparing", "results"]
