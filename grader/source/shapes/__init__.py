"""Shapes that a source states: in comments, docstrings, asserts and annotations."""
