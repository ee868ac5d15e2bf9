"""What honest submissions do works in a confined child of a warm zygote."""

from __future__ import annotations

import json
import subprocess
import sys

import confined as c
import pytest

pytestmark = [pytest.mark.slow, c.linux_only]

ZYGOTE = f"""
import sys; sys.path.insert(0, {str(c.ROOT)!r})
import gc, json, linecache, os, random, time, traceback
from dataclasses import dataclass
from grader.sandbox import lockdown, namespaces

@dataclass
class Limits:
    memory_bytes: int = 1 << 30
    cpu_seconds: int = 30

def confined(work):
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            lockdown.confine(Limits(), (2, writer))
            said = work() or "done"
        except BaseException:
            said = traceback.format_exc()
        os.write(writer, said.encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        said = pipe.read()
    os.waitpid(pid, 0)
    return said

namespaces.enter()
{{modules}}
{{work}}
tasks = len(os.listdir("/proc/self/task"))
lockdown.prepare()
namespaces.empty_root()
print(json.dumps({{{{"tasks": tasks}}}} | {{{{f.__name__: confined(f) for f in works}}}}))
"""

NUMPY_WORK = """
def network():
    rng = np.random.default_rng(0)
    X, W1, W2 = rng.normal(size=(64, 128)), rng.normal(size=(128, 256)), rng.normal(size=(256, 10))
    H1 = np.maximum(X @ W1, 0)
    Z2 = H1 @ W2
    P = np.exp(Z2 - Z2.max(1, keepdims=True))
    P /= P.sum(1, keepdims=True)
    np.einsum("bh,bc->hc", H1, P); np.linalg.svd(W1); np.linalg.inv(W1 @ W1.T); str(Z2)
    np.zeros((4000, 4000)) + 1

def told():
    source = "def f():\\n    return 1 / 0\\nf()\\n"
    linecache.cache["solution.py"] = (len(source), None, source.splitlines(True), "solution.py")
    try:
        exec(compile(source, "solution.py", "exec"), {})
    except ZeroDivisionError:
        assert "return 1 / 0" in traceback.format_exc()

def ordinary():
    time.time(); time.sleep(0.001); time.perf_counter(); time.process_time(); time.localtime()
    random.random(); gc.collect(); np.random.seed(); os.urandom(8); os.getcwd()

def memory():
    for size in (2 << 30, 1 << 40):
        try:
            np.ones(size, dtype=np.uint8)
        except MemoryError:
            continue
        return "got it"

def recursion():
    def f():
        return f()
    try:
        f()
    except RecursionError:
        pass

works = (network, told, ordinary, memory, recursion)
"""

TORCH_WORK = """
def network():
    X = torch.randn(64, 128, dtype=torch.float64, requires_grad=True)
    W = torch.randn(128, 10, dtype=torch.float64, requires_grad=True)
    y = torch.randint(0, 10, (64,))
    F.cross_entropy(F.relu(X @ W), y).backward()
    torch.autograd.grad(F.cross_entropy(X @ W, y), [X, W])
    torch.linalg.svd(W); torch.einsum("bd,dc->bc", X, W); X.detach().numpy(); str(W)
    net = torch.nn.Sequential(torch.nn.Linear(128, 256), torch.nn.ReLU(), torch.nn.Linear(256, 10))
    F.cross_entropy(net(X.detach().float()), y).backward()

def memory():
    try:
        torch.zeros(1 << 30, dtype=torch.float64)
    except RuntimeError as error:
        return "" if "allocate memory" in str(error) else str(error)
    return "got it"

torch.set_num_threads(1)
network()  # what torch loads late, it loads here
works = (network, memory)
"""


def outcomes(modules: str, work: str) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-I", "-B", "-c", ZYGOTE.format(modules=modules, work=work)],
        env=dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    result: dict[str, object] = json.loads(done.stdout)
    return result


@pytest.mark.parametrize(
    ("modules", "work"),
    [
        ("import numpy as np, numpy.random, numpy.linalg", NUMPY_WORK),
        ("import numpy, torch, torch.nn.functional as F", TORCH_WORK),
    ],
    ids=["numpy", "torch"],
)
def test_computing_works(modules: str, work: str) -> None:
    results = outcomes(modules, work)
    assert results.pop("tasks") == 1
    assert set(results.values()) == {"done"}, results
