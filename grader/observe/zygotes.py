"""The two warm processes of a run. Light to import, so that a run can start them first."""

from __future__ import annotations

from grader.observe.modules import NUMPY_MODULES, torch_modules
from grader.records import Submission
from grader.sandbox.pool import Zygote
from grader.sandbox.warm import Warming

DRIVER = "grader.child.driver"


class Zygotes:
    """The two warm processes of a run, without torch and with it.

    `only`: the one submission to be graded, so that no module is loaded for others.
    Where its words did not tell that it needs one, `widen` loads them all.
    `warming`: a process in which torch is being imported already.
    """

    def __init__(
        self,
        *,
        unconfined: bool = False,
        only: Submission | None = None,
        warming: Warming | None = None,
    ) -> None:
        source = None if only is None else b"\n".join(f.data for f in only.files)
        self._unconfined = unconfined
        self._loaded = torch_modules(source)
        self._replaced: list[Zygote] = []
        self.torch = Zygote(DRIVER, self._loaded, unconfined=unconfined, warming=warming)
        self.numpy = Zygote(DRIVER, NUMPY_MODULES, unconfined=unconfined)

    def __enter__(self) -> Zygotes:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def widen(self) -> bool:
        """Put a process with every module in place of the one with torch; False if it is one.

        The other goes on with what it has under way, until all are closed.
        """
        if self._loaded == torch_modules():
            return False
        self._loaded = torch_modules()
        self._replaced.append(self.torch)
        self.torch = Zygote(DRIVER, self._loaded, unconfined=self._unconfined)
        return True

    def close(self) -> None:
        """End both, and every child of theirs."""
        for zygote in (self.numpy, self.torch, *self._replaced):
            zygote.close()
