"""Making torch fit for forked, confined children (zygote's side).

Everything here answers something that torch would do late, in the child,
where no file can be opened and no thread be started.
"""

from __future__ import annotations

import contextlib
import sys
import types
from collections.abc import Callable
from typing import Any


def settle(torch: Any) -> None:
    """Set one thread, no code generated at run time, no compiler imported late.

    Call it in the zygote, after `import torch` and before the files are taken
    away. No backward may run there: the thread that autograd's engine starts
    would not survive the fork.
    """
    torch.set_num_threads(1)
    torch.set_num_interop_threads(1)
    torch._C._set_mkldnn_enabled(False)  # oneDNN's JIT needs executable memory
    _ignore_thread_counts(torch)
    _without_compiler(torch)
    torch.relu(torch.ones(2))  # reads /proc/cpuinfo at its first use, and complains without it


def _ignore_thread_counts(torch: Any) -> None:
    """Ignore requests for threads; libgomp would end the process that gets none."""

    def keep_one(_count: int) -> None:
        return None

    torch.set_num_threads = torch.set_num_interop_threads = keep_one


def _without_compiler(torch: Any) -> None:
    """Put a stand-in for `torch._dynamo`, which optimizers import only to switch it off.

    The real one costs almost as much as torch itself (1.9 s), and cannot work
    in a child that may not make executable memory.
    """
    if "torch._dynamo" in sys.modules:
        return

    def disable(function: Any = None, *_: Any, **__: Any) -> Any:
        return function if function is not None else (lambda wrapped: wrapped)

    def refuse(*_: Any, **__: Any) -> Callable[..., Any]:
        raise RuntimeError("torch.compile is not available here")

    stub: Any = types.ModuleType("torch._dynamo")
    stub.disable = stub.allow_in_graph = disable
    stub.graph_break = lambda *_, **__: None
    stub.is_compiling = lambda: False
    stub.optimize = refuse
    stub.compiled_autograd = types.SimpleNamespace(_disable=contextlib.nullcontext)
    stub.external_utils = types.SimpleNamespace(is_compiling=lambda: False)
    sys.modules["torch._dynamo"] = stub
    torch._dynamo = stub
