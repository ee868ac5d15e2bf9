"""Inert stand-ins for modules that are not there (child's side).

Two kinds. A *missing* module (plotting, progress bars, a helper that was not handed
in) is harmless: whatever is done with its stand-in gives another, and what it is
handed to iterate over comes back; but once the file is loaded it gives no number,
and says why. A *framework* in the NumPy part may be imported, named and subclassed
at a file's top, because the same file holds the PyTorch part; once the switch is
armed, any call of it raises `FrameworkUsed`. So "NumPy only" is enforced by absence, not by
reading the source.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, FunctionType, ModuleType
from typing import Any

FRAMEWORKS = ("torch", "jax", "tensorflow", "autograd", "keras", "mxnet", "theano", "tinygrad")

PACKAGES = """
IPython PIL altair bokeh cupy cv2 datasets deap dotenv einops fastai fastprogress gdown google
graphviz gym gymnasium h5py hypothesis imageio ipywidgets joblib kaggle lightning line_profiler
loguru matplotlib memory_profiler mlflow mnist mpl_toolkits networkx nltk numba openml optax pandas
plotly polars prettytable psutil pyarrow pydantic pylab pytest pytorch_lightning requests rich scipy
seaborn sklearn skimage statsmodels sympy tabulate tensorboard tensorboardX tensorflow_datasets
termcolor torchaudio torchinfo torchmetrics torchsummary torchtext torchvision torchviz tqdm
transformers wandb xgboost yaml
"""
"""Packages that a script may import without being incomplete: only the wording depends on it."""

OPERATORS = """
add radd iadd sub rsub isub mul rmul imul truediv rtruediv itruediv floordiv rfloordiv mod rmod pow
rpow ipow matmul rmatmul imatmul and rand or ror xor rxor neg pos abs invert round
"""
COMPARISONS = ("lt", "le", "gt", "ge")
PASSES = 1_000_000
"""Turns of `trange(n)`: it is handed a number, not what to iterate over."""


class FrameworkUsed(RuntimeError):
    """The NumPy part called into an autograd framework."""


class Switch:
    """Whether frameworks are armed, and which names were used since.

    `lenient` while a file is loaded: a demo may go on with numbers that are none.
    `importers` says by module where it was first imported, as (file, line).
    """

    def __init__(self) -> None:
        self.armed = False
        self.lenient = False
        self.used: list[str] = []
        self.stood_in: list[str] = []
        self.importers: dict[str, tuple[str, int]] = {}

    def call(self, path: str) -> None:
        """Note that a stand-in was called; raises when a framework's is and the switch is on."""
        if self.armed and path.partition(".")[0] in FRAMEWORKS:
            self.used.append(path)
            raise FrameworkUsed(f"{path} was used in the NumPy part, where there is no framework")

    def number(self, path: str) -> None:
        """Note that a stand-in was taken for a number; raises unless a file is being loaded."""
        self.call(path)
        if not self.lenient:
            raise self.refusal(path)

    def refusal(self, path: str) -> Exception:
        """Return why `path` gives no numbers."""
        top = path.partition(".")[0]
        if top in FRAMEWORKS:
            return FrameworkUsed(f"{path} is not available here")
        file, line = self.importers.get(top, ("", 0))
        where = f"line {line} of {file} imports `{top}`" if file else f"`{top}` is imported"
        why = "is not installed here" if top in PACKAGES.split() else "was not handed in"
        return ModuleNotFoundError(f"{where}, which {why}; {path} gives no value", name=top)


def current() -> Switch | None:
    """Return the switch of the stand-ins that answer for modules now; None where there are none."""
    finders = (finder for finder in sys.meta_path if isinstance(finder, StandInFinder))
    return next((finder.switch for finder in finders), None)


@contextmanager
def lenience() -> Iterator[None]:
    """Let stand-ins pass for numbers, while a file is loaded."""
    switch = current() or Switch()
    switch.lenient = True
    try:
        yield
    finally:
        switch.lenient = False


# ── one stand-in ─────────────────────────────────────────────────────────────


def _operator(self: Any, *_: Any, **__: Any) -> Any:
    self.switch.number(self.path)
    return self


def _comparison(self: Any, _: Any) -> bool:
    self.switch.number(self.path)
    return False


def _converted(kind: type) -> Callable[[Any], Any]:
    def convert(self: Any) -> Any:
        self.switch.number(self.path)
        return kind()

    return convert


def _no_array(self: Any, *_: Any, **__: Any) -> Any:
    raise self.switch.refusal(self.path)


def _true(_: Any) -> bool:
    return True


NUMBERLIKE: dict[str, Any] = {
    **{f"__{name}__": _operator for name in OPERATORS.split()},
    **{f"__{name}__": _comparison for name in COMPARISONS},
    **{f"__{kind.__name__}__": _converted(kind) for kind in (int, float, complex)},
    "__index__": _converted(int),
    "__array__": _no_array,
    "__array_ufunc__": _operator,
    "__array_function__": _operator,
    "__bool__": _true,
    "__format__": lambda self, _: f"<{self.path}>",
}
"""What numbers and arrays can do; the same for a stand-in's class, which is one as well."""


class _InertType(type):
    """Makes `class Net(nn.Module)` and `isinstance(x, torch.Tensor)` work on stand-ins."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return make(cls.switch, f"{cls.path}.{name}")

    def __getitem__(cls, key: Any) -> Any:
        return cls

    def __setitem__(cls, key: Any, value: Any) -> None:
        cls.switch.call(cls.path)

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        """Return an instance, or from a bare decorator (`@njit`) the function as it is.

        Not so a framework's: what `grad(f)` gives must not pass for `f`.
        """
        alone = len(args) == 1 and not kwargs and _decorated(args[0])
        if alone and "switch" in vars(cls) and cls.path.partition(".")[0] not in FRAMEWORKS:
            return args[0]
        return super().__call__(*args, **kwargs)

    def __iter__(cls) -> Iterator[Any]:
        cls.switch.number(cls.path)
        return iter(())


for _name, _method in NUMBERLIKE.items():
    if _name not in ("__or__", "__ror__"):  # `Tensor | None` is a type, not a number
        setattr(_InertType, _name, _method)


def _decorated(value: Any) -> bool:
    """Return whether a decorator may be handed `value`: a function, or a class of its own."""
    return isinstance(value, FunctionType | type) and not isinstance(value, _InertType)


def make(switch: Switch, path: str) -> Any:
    """Return a stand-in for the dotted `path`: attribute, call, base class, decorator, context."""

    class Inert(metaclass=_InertType):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            switch.call(path)
            self.__dict__["_given"] = args[0] if args else kwargs.get("iterable")

        def __getattr__(self, name: str) -> Any:
            if name.startswith("__") and name.endswith("__"):
                raise AttributeError(name)
            return make(switch, f"{path}.{name}")

        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            switch.call(path)
            plain = len(args) == 1 and not kwargs and callable(args[0])
            return args[0] if plain else make(switch, path)(*args, **kwargs)

        def __enter__(self) -> Any:
            return self

        def __exit__(self, *_: Any) -> None:
            switch.call(path)

        def __iter__(self) -> Any:
            switch.call(path)
            return _iterated(self.__dict__.get("_given"), path)

        def __len__(self) -> int:
            switch.call(path)
            iterable: Any = self.__dict__.get("_given")
            return len(iterable) if hasattr(iterable, "__len__") else 0

        def __getitem__(self, key: Any) -> Any:
            switch.call(path)
            return self

        def __setitem__(self, key: Any, value: Any) -> None:
            switch.call(path)

    Inert.switch, Inert.path = switch, path  # type: ignore[attr-defined]
    for name, method in NUMBERLIKE.items():
        setattr(Inert, name, method)
    Inert.__name__ = Inert.__qualname__ = path.rpartition(".")[2]
    Inert.__module__ = path.rpartition(".")[0] or path
    return Inert


def _iterated(iterable: Any, path: str) -> Iterator[Any]:
    """Yield what a progress bar was handed; a framework's loader gives nothing."""
    if path.partition(".")[0] in FRAMEWORKS:
        return iter(())
    if path.endswith("trange") and isinstance(iterable, int):
        return iter(range(min(iterable, PASSES)))
    return iter(iterable) if hasattr(iterable, "__iter__") else iter(())


# ── modules ──────────────────────────────────────────────────────────────────


class InertModule(ModuleType):
    """A module whose every attribute is a stand-in."""

    def __init__(self, name: str, switch: Switch) -> None:
        super().__init__(name)
        self.__path__: list[str] = []
        self.__file__ = f"<stand-in {name}>"
        self.__version__ = "0.0.0"
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
        self.switch.importers.setdefault(spec.name.partition(".")[0], _importer())
        return InertModule(spec.name, self.switch)

    def exec_module(self, module: ModuleType) -> None:
        return None


def _importer() -> tuple[str, int]:
    """Return file and line of the import under way: the nearest frame of no machinery."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        name = frame.f_code.co_filename
        if name != __file__ and "importlib" not in name:
            return name, frame.f_lineno
        frame = frame.f_back
    return "", 0
