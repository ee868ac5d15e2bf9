"""Puts a submission's own verification to the test: does it notice a wrong gradient? (child's side)

Runs after the steps, on a load of its own. First it looks where each gradient stands in a run of
`verify`; then it runs `verify` again and again, each time with one gradient of one side spoiled.
What it says, like all that a child says, is hearsay: the judge chose how to spoil, and concludes.
"""

from grader.child.verifying.examination import examine

__all__ = ["examine"]
