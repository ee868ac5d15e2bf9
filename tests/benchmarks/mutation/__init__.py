"""Mistakes made on purpose in correct solutions, each labelled with what it is."""
