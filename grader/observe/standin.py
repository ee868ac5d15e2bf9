"""Inert stand-ins for modules that are not there (child's side).

Two kinds. A *missing* module (plotting, progress bars) is harmless: whatever
is done with its stand-in gives another. A *framework* in the NumPy part may be
imported, named and subclassed at a file's top, because the same file holds the
PyTorch part; once `arm` was called, any call of it raises `FrameworkUsed`.
So "NumPy only" is enforced by absence, not by reading the source.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
from types import FunctionType, ModuleType
from typing import Any

FRAMEWORKS = ("torch", "jax", "tensorflow", "autograd", "keras", "mxnet", "theano", "tinygrad")


class FrameworkUsed(RuntimeError):
    """The NumPy part called into an autograd framework."""


class Switch:
    """Whether frameworks are armed, and which names were used since."""

    def __init__(self) -> None:
        self.armed = False
        self.used: list[str] = []
        self.stood_in: list[str] = []

    def call(self, name: str) -> None:
        """A stand-in was called; raises when it belongs to a framework and the switch is on."""
        if self.armed and name.partition(".")[0] in FRAMEWORKS:
            self.used.append(name)
            raise FrameworkUsed(f"{name} was used in the NumPy part, where there is no framework")


class _InertType(type):
    """Makes `class Net(nn.Module)` and `isinstance(x, torch.Tensor)` work on stand-ins."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return make(cls.switch, f"{cls.path}.{name}")

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        """An instance, but for a bare decorator (`@njit`): that leaves the function as it is.

        Not so a framework's: what `grad(f)` gives must not pass for `f`.
        """
        alone = len(args) == 1 and not kwargs and isinstance(args[0], FunctionType)
        if alone and "switch" in vars(cls) and cls.path.partition(".")[0] not in FRAMEWORKS:
            return args[0]
        return super().__call__(*args, **kwargs)


def make(switch: Switch, path: str) -> Any:
    """A stand-in for the dotted `path`: attribute, call, base class, decorator, context manager."""

    class Inert(metaclass=_InertType):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            switch.call(path)

        def __getattr__(self, name: str) -> Any:
            if name.startswith("__") and name.endswith("__"):
                raise AttributeError(name)
            return make(switch, f"{path}.{name}")

        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            switch.call(path)
            plain = len(args) == 1 and not kwargs and callable(args[0])
            return args[0] if plain else make(switch, path)()

        def __enter__(self) -> Any:
            return self

        def __exit__(self, *_: Any) -> None:
            switch.call(path)

        def __iter__(self) -> Any:
            switch.call(path)
            return iter(())

        def __getitem__(self, key: Any) -> Any:
            switch.call(path)
            return self

        def __array__(self, *_: Any, **__: Any) -> Any:
            raise FrameworkUsed(f"{path} is not available here")

    Inert.switch, Inert.path = switch, path  # type: ignore[attr-defined]
    Inert.__name__ = Inert.__qualname__ = path.rpartition(".")[2]
    Inert.__module__ = path.rpartition(".")[0] or path
    return Inert


class InertModule(ModuleType):
    """A module whose every attribute is a stand-in."""

    def __init__(self, name: str, switch: Switch) -> None:
        super().__init__(name)
        self.__path__: list[str] = []
        self.__file__ = f"<stand-in {name}>"
        self.__dict__["_switch"] = switch

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        path = f"{self.__name__}.{name}"
        if name == "is_tensor":
            return lambda _value: False
        value = make(self.__dict__["_switch"], path)
        setattr(self, name, value)
        return value


class StandInFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Last on `sys.meta_path`: answers for third-party modules that nobody else found."""

    def __init__(self, switch: Switch) -> None:
        self.switch = switch

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        top = name.partition(".")[0]
        parent = sys.modules.get(name.rpartition(".")[0])
        missing_top = top not in sys.stdlib_module_names and "." not in name
        if missing_top or isinstance(parent, InertModule):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec: Any) -> ModuleType:
        self.switch.stood_in.append(spec.name)
        return InertModule(spec.name, self.switch)

    def exec_module(self, module: ModuleType) -> None:
        return None
