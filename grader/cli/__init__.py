"""The command line: words, options, exit codes. What is done is done below."""

from grader.cli import grading, results, preparing  # isort: skip  # each brings its commands
from grader.cli.app import app, main

__all__ = ["app", "grading", "main", "preparing", "results"]
