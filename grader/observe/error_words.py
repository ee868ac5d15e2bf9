"""The words of CPython's, PyTorch's and the child's own errors that decide something."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum


class ErrorWord(Enum):
    """What an error says. One error may say several of these."""

    SYNTAX = "the file cannot be parsed"
    NO_MODULE = "a module is not there"
    ARGUMENTS = "a TypeError, such as that of a wrong number of arguments"
    UNFINISHED = "NotImplementedError, or None in place of an answer"
    STUB = "the function found has no body"
    IN_PLACE = "a tensor that backward needs was changed in place"
    LEAF_IN_PLACE = "a leaf refuses to be changed in place"
    NO_HISTORY = "a tensor without a history is to be differentiated"
    NO_LEAF = "a leaf that asks for no gradient is to be differentiated"
    NONE = "a gradient is None"
    NO_VALUE = "a stand-in has no value"
    TORCH_PART = "a part of torch that was not preloaded is not there"


ANYWHERE: Mapping[ErrorWord, tuple[str, ...]] = {
    ErrorWord.SYNTAX: ("null bytes", "unknown encoding"),
    ErrorWord.UNFINISHED: ("NotImplementedError",),
    ErrorWord.IN_PLACE: ("inplace operation", "in-place operation"),
    ErrorWord.LEAF_IN_PLACE: ("leaf Variable that requires grad",),
    ErrorWord.NO_HISTORY: ("does not require grad",),
    ErrorWord.NO_LEAF: ("differentiated Tensors does not require grad",),
    ErrorWord.NONE: (
        *("'NoneType' object", "not have been used in the graph"),
        "differentiated Tensors does not require grad",
    ),
    ErrorWord.NO_VALUE: ("gives no value",),
    ErrorWord.TORCH_PART: ("No module named 'torch.",),
}
BEGINNING: Mapping[ErrorWord, tuple[str, ...]] = {
    ErrorWord.SYNTAX: ("SyntaxError:", "IndentationError:", "TabError:"),
    ErrorWord.NO_MODULE: ("ModuleNotFoundError", "ImportError"),
    ErrorWord.ARGUMENTS: ("TypeError",),
    ErrorWord.UNFINISHED: ("it returned None",),
}
END: Mapping[ErrorWord, tuple[str, ...]] = {ErrorWord.STUB: ("which is a stub",)}


def error_words(error: str) -> frozenset[ErrorWord]:
    """Return what an error of one line says."""
    return frozenset(
        word
        for word in ErrorWord
        if any(text in error for text in ANYWHERE.get(word, ()))
        or error.startswith(BEGINNING.get(word, ()))
        or error.endswith(END.get(word, ()))
    )


PLACE = re.compile(r"\((?P<file>[^()]{1,200}), line (?P<line>\d{1,7})\)")
IMPORT = re.compile(r"line (?P<line>\d{1,7}) of (?P<file>.+) imports `[\w.]+`")
SHAPE = re.compile(r"\[torch\.\w+ \[([\d, ]*)\]\]")


def place_named(error: str) -> tuple[str, int] | None:
    """Return the file and line at which the child found something else, if it names them."""
    found = PLACE.search(error)
    return (found["file"], int(found["line"])) if found else None


def import_named(error: str) -> tuple[str, int] | None:
    """Return the file and line of the import that failed, if the child names them."""
    found = IMPORT.search(error)
    return (found["file"], int(found["line"])) if found else None


def shape_named(error: str) -> tuple[int, ...] | None:
    """Return the shape of the tensor that PyTorch found changed, if it names one."""
    found = SHAPE.search(error)
    return tuple(int(n) for n in found[1].split(",") if n.strip()) if found else None
