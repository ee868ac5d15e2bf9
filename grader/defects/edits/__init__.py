"""Edits of a stranger's source that may repair a mistake, the likeliest first."""
