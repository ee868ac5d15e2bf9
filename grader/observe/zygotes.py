"""The two warm processes of a run. Light to import, so that a run can start them first."""

from __future__ import annotations

from grader.observe.modules import NUMPY_MODULES, torch_modules
from grader.records import Submission
from grader.sandbox.pool import Zygote

DRIVER = "grader.observe.driver"


class Zygotes:
    """The two warm processes of a run, without torch and with it.

    `only`: the one submission to be graded, so that no module is loaded for others.
    """

    def __init__(self, *, unconfined: bool = False, only: Submission | None = None) -> None:
        source = None if only is None else b"\n".join(f.data for f in only.files)
        self.torch = Zygote(DRIVER, torch_modules(source), unconfined=unconfined)
        self.numpy = Zygote(DRIVER, NUMPY_MODULES, unconfined=unconfined)

    def __enter__(self) -> Zygotes:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End both, and every child of theirs."""
        self.numpy.close()
        self.torch.close()
