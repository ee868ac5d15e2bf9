"""What the zygotes preload: all that a submission may import once it is confined."""

from __future__ import annotations

COMMON_MODULES = (
    *("abc", "argparse", "ast", "base64", "bisect", "builtins", "cmath", "collections"),
    *("collections.abc", "contextlib", "copy", "csv", "dataclasses", "datetime", "decimal"),
    *("enum", "fractions", "functools", "gc", "glob", "hashlib", "heapq", "importlib", "inspect"),
    *("io", "itertools", "json", "logging", "math", "numbers", "operator", "os", "os.path"),
    *("pathlib", "pickle", "platform", "pprint", "queue", "random", "re", "secrets", "shutil"),
    *("statistics", "string", "struct", "sys", "tempfile", "textwrap", "threading", "time"),
    *("timeit", "traceback", "types", "typing", "unittest", "uuid", "warnings", "weakref"),
    *("unicodedata", "encodings.ascii", "encodings.latin_1", "encodings.cp1252"),
    *(
        "encodings.utf_8_sig",
        "encodings.iso8859_15",
        "encodings.utf_16",
        "encodings.unicode_escape",
    ),
    *("numpy", "numpy.linalg", "numpy.random", "numpy.testing", "numpy.typing", "numpy.fft"),
    *("numpy.lib.stride_tricks", "numpy.polynomial", "numpy.ma"),
)

NUMPY_MODULES = COMMON_MODULES
TORCH_MODULES = (
    *COMMON_MODULES,
    *("torch", "torch.nn", "torch.nn.functional", "torch.optim", "torch.autograd", "torch.func"),
    *("torch.autograd.functional", "torch.autograd.gradcheck", "torch.testing"),
    *("torch.utils.data", "torch.nn.init", "torch.nn.utils", "torch.utils.checkpoint"),
)

TORCH_EXTRAS = {
    b"gradcheck": ("torch.fx.experimental.symbolic_shapes", "torch._subclasses.schema_check_mode"),
    b"assert_close": ("torch.distributed.tensor",),
}
"""What some functions import at their first call, by a word that their users' source contains.

Together they cost half of what torch itself does, so they are loaded where they may be wanted.
"""


def torch_modules(source: bytes | None = None) -> tuple[str, ...]:
    """What to preload for `source`, or for any source."""
    wanted = (names for word, names in TORCH_EXTRAS.items() if source is None or word in source)
    return (*TORCH_MODULES, *(name for names in wanted for name in names))
