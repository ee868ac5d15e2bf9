"""Answers written straight down: which statements of a script are the answer, and how they run."""
