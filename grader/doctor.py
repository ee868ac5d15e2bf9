"""The facts of `grader doctor`: isolation, proven by trying, and the versions in use."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from grader import __version__
from grader.sandbox.survey import available

PACKAGES = ("numpy", "torch", "pydantic", "jinja2", "pyyaml", "typer", "rich", "pygments")


@dataclass(frozen=True, slots=True)
class Facts:
    """Titled rows, the one-sentence verdict, and whether strangers' code may run here."""

    sections: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    verdict: str
    usable: bool


def examine() -> Facts:
    """Try every layer in a sacrificial process; takes about a second."""
    layers = available()
    usable = layers.pop("usable", "no: nothing was tried")
    versions = [("backprop-grader", __version__), ("python", platform.python_version())]
    versions += [(package, _version(package)) for package in PACKAGES]
    machine = (
        ("system", f"{platform.system()} {platform.release()}"),
        ("processor", platform.machine()),
        ("user", "root" if hasattr(os, "geteuid") and os.geteuid() == 0 else "ordinary"),
    )
    layered = tuple(sorted(layers.items()))
    ok = usable == "yes"
    verdict = (
        "Strangers' code can be run here: every attempt to get out was refused."
        if ok
        else f"Strangers' code must NOT be run here: {usable.removeprefix('no: ')}. "
        "Only --unsafe-no-sandbox is left, for code that you trust as your own."
    )
    sections = (("versions", tuple(versions)), ("machine", machine), ("isolation", layered))
    return Facts(sections, verdict, ok)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing: install backprop-grader again"
