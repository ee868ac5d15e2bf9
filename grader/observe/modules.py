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
    *("asyncio", "cProfile", "concurrent.futures", "configparser", "doctest", "fileinput"),
    *("getopt", "getpass", "gzip", "html", "multiprocessing", "optparse", "pkgutil", "pstats"),
    *("sched", "shlex", "signal", "tarfile", "tracemalloc", "urllib.request", "zipfile"),
    *("unicodedata", "encodings.ascii", "encodings.latin_1", "encodings.utf_8_sig"),
    *("encodings.utf_16", "encodings.unicode_escape", "encodings.iso8859_2", "encodings.iso8859_9"),
    *("encodings.iso8859_15", "encodings.cp1250", "encodings.cp1251", "encodings.cp1252"),
    *("encodings.cp1253", "encodings.cp1254", "encodings.cp437", "encodings.cp850"),
    *("encodings.koi8_r", "encodings.mac_roman", "encodings.gbk", "encodings.gb2312"),
    *("encodings.gb18030", "encodings.big5", "encodings.shift_jis", "encodings.cp932"),
    *("encodings.euc_jp", "encodings.euc_kr", "encodings.cp949"),
    *("numpy", "numpy.linalg", "numpy.random", "numpy.testing", "numpy.typing", "numpy.fft"),
    *("numpy.lib.stride_tricks", "numpy.polynomial", "numpy.ma", "numpy.char", "numpy.rec"),
)

NUMPY_MODULES = COMMON_MODULES
TORCH_MODULES = (
    *COMMON_MODULES,
    *("torch", "torch.nn", "torch.nn.functional", "torch.optim", "torch.autograd", "torch.func"),
    *("torch.autograd.functional", "torch.autograd.gradcheck", "torch.testing"),
    *("torch.utils.data", "torch.nn.init", "torch.nn.utils", "torch.utils.checkpoint"),
    "torch.utils._device",  # of `with torch.device(…)` and `set_default_device`
)

TORCH_EXTRAS = {
    b"gradcheck": ("torch.fx.experimental.symbolic_shapes", "torch._subclasses.schema_check_mode"),
    b"assert_close": ("torch.distributed.tensor",),
}
"""What some functions import at their first call, by a word that their users' source contains.

Together they cost half of what torch itself does, so they are loaded where they may be wanted.
"""


def torch_modules(source: bytes | None = None) -> tuple[str, ...]:
    """Return what to preload for `source`, or for any source."""
    extras = (names for word, names in TORCH_EXTRAS.items() if source is None or word in source)
    return (*TORCH_MODULES, *(name for names in extras for name in names))
