"""The kinds of mistake that the grader knows, by code."""
