"""Binds whatever style a candidate used to the contract's four functions (child's side).

There is one language for how an answer is called, the adapter (`adapter`, which executes it).
A course may say it for its own skeleton. A submission's own functions are used as they are
where they are the contract's. Elsewhere the source is read for what could be called (`source`,
`names`), each style proposes drafts (`styles`), and `search` has them written as adapters
(`writer`) on a small case until one fits.
"""

from pathlib import Path

from grader.child.binding.binder import Binding, bind
from grader.child.binding.language.adapter import LINES_FILE
from grader.child.binding.pieces import works

FILES = (*(str(path) for path in Path(__file__).parent.rglob("*.py")), LINES_FILE)
"""Hidden from tracebacks: a candidate is shown the candidate's own lines."""

__all__ = ["FILES", "Binding", "bind", "works"]
