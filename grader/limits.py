"""How much of a stranger's text the judge itself looks at, and for how long, with the reasons.

What is beyond a limit still runs, and its numbers are judged all the same; the judge only
reads, compares and draws no more of it, says so, and shows the answer to a person. The largest
of the shipped answers has 5 kB, 1,300 tokens, 150 lines and 20 functions.
"""

from __future__ import annotations

SOURCE_BYTES = 256 << 10
"""Bytes of all files together that are read. A line of 256 kB of names takes Python's parser
half a second and 120 MB; one of 2 MB takes 5 s and 950 MB."""

SOURCE_LINES = 10_000
"""Lines of all files together. A line costs the page 80 bytes and each look at it a microsecond."""

SOURCE_TOKENS = 40_000
"""Names, numbers and signs of all files together, comments left out: a node of the tree each,
with 300 bytes, and a coloured element of the page each, with 40."""

SOURCE_FUNCTIONS = 1_000
"""Functions of all files together, each of which may call each."""

JOINED_NAMES = 500
"""Names that two files have in common, up to which each is kept under a second name."""

FILES = 400
"""Files of a submission, those too that a notebook's cells write."""

FOLDERS_DEEP = 32
"""Folders in each other that are looked into. Python's own walk ends at 990."""

CELLS = 2_000
"""Code cells of a notebook that are joined to a module."""

TEXT_CELLS = 400
"""Text cells of a notebook that may hold an answer."""

PROSE_CHARACTERS = 256 << 10
"""Of all text cells together: as much as `answers.md` may have."""

PAGE_CHARACTERS = 200_000
"""Of one file on the page; a page has to stay openable."""

PAGE_LINES = 10_000
"""Of all files together on the page."""

PAGE_SOURCE = 400_000
"""Characters of all files together on the page."""

NAME_CHARACTERS = 200
"""Of a name, beyond which it names nothing that is looked for."""

NAMES = 2_000
"""Names that a file defines or imports, of which its part in the answer is guessed."""

WORK_SECONDS = 20.0
"""Processor time of the judge's own for one submission. An honest one takes about 1 s, with
repairs 3 s; no text at the size limit takes 3 s. Beyond it the answer is judged anew, by its
numbers alone."""

WORK_BYTES = 1 << 30
"""Memory of the judge's own for one submission, above what its process has before."""
