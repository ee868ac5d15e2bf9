"""Runs several versions of a submission one after another, for its mending (child's side).

Each version is loaded anew and answers like any submission; what it says is hearsay.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from grader.child import coerce, loading
from grader.child.binding.canonical import ARGUMENTS

if TYPE_CHECKING:
    from grader.child.driver import Driver


def examine(driver: Driver, items: dict[str, Any]) -> dict[str, Any]:
    """Return what each version answers: `n.c.loss` and `n.c.W1`, … for version n and case c.

    A version that does not load, and a case that raises, is left out.
    """
    finders, answer = list(sys.meta_path), dict[str, Any]()
    for number in range(int(items["edits"])):
        loaded, driver.switch.armed = set(sys.modules), False
        files = driver.prepare(items)
        driver.files = files | {items["edited"]: items[f"edit{number}"]}
        try:
            driver.module, _ = loading.load(driver.files, items["main"])
            driver.switch.armed = driver.numpy_side
            answers = _Version(driver, items).answers()
            answer |= {f"{number}.{name}": value for name, value in answers.items()}
        except BaseException:  # this version's own trouble, not the next one's
            continue
        finally:
            sys.meta_path[:] = finders
            for name in set(sys.modules) - loaded:
                if getattr(sys.modules[name], "__file__", None) in files:
                    del sys.modules[name]
    return answer


@dataclass(frozen=True)
class _Version:
    """One version, loaded."""

    driver: Driver
    items: dict[str, Any]

    def answers(self) -> dict[str, Any]:
        """Return the second answer on each case: what adds up or spoils its arguments shows in it.

        The forwards all come first, so that a backward cannot live off the last of them.
        """
        answers: dict[str, Any] = {}
        cases = [(case, self._forward(case, answers)) for case in range(int(self.items["cases"]))]
        for case, backward in cases:
            try:
                found, _ = backward()
            except Exception:  # what is missing is not right: that is all there is to know
                continue
            answers |= {f"{case}.{name}": gradient for name, gradient in found.items()}
        return {name: self._bounded(value) for name, value in answers.items()}

    def _forward(self, case: int, answers: dict[str, Any]) -> Callable[[], Any]:
        """Run one case as far as its loss; gives what runs the rest."""
        arguments = [self.items[f"{name}{case}"].copy() for name in ARGUMENTS]
        numpy = self.driver.numpy_side
        name = "forward" if numpy else "torch_forward_backward"
        try:
            for _call in range(2):
                loss, rest = coerce.pair(self.driver.call(name, *arguments), "loss and the rest")
            answers[f"{case}.loss"] = coerce.as_array(loss, "the loss")
        except Exception as error:
            return partial(_raise, error)
        return partial(self._backward, rest) if numpy else partial(coerce.gradients, rest)

    def _backward(self, cache: Any) -> Any:
        self.driver.call("backward", cache)
        return coerce.gradients(self.driver.call("backward", cache))

    def _bounded(self, value: Any) -> Any:
        """Return a gradient that is larger than all inputs together is none."""
        most = int(self.items["max_bytes"]) // int(self.items["edits"])
        if value.nbytes > most:
            raise coerce.BadReturn("far larger than any right answer")
        return value


def _raise(error: BaseException) -> None:
    raise error
