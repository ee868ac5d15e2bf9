"""Results as the grader would make them: a usual one, and the ones that hurt."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import pytest

from grader.diagnosis.tensors import INPUTS, NUMPY, SHAPES, TORCH
from grader.records import (
    Annotation,
    Charge,
    CheckGrade,
    CheckStatus,
    Confidence,
    Defect,
    DimensionGrade,
    Ended,
    Evidence,
    Frame,
    Grade,
    GradeStatus,
    GraphNode,
    ItemGrade,
    Observation,
    Observations,
    PartGrade,
    ProcessReport,
    Result,
    Severity,
    SourceFile,
    Standing,
    Submission,
)
from tests.report.drawn import ALL

SOURCE = '''"""Two-layer network: forward and backward by hand, then with autograd."""

import numpy as np
import torch
import torch.nn.functional as F


def softmax(Z):
    """Row-wise softmax; the row's maximum is taken off first."""
    shifted = Z - Z.max(axis=1, keepdims=True)
    e = np.exp(shifted)
    return e / e.sum(axis=1, keepdims=True)


def forward(X, y, W1, b1, W2, b2):
    Z1 = X @ W1 + b1
    H1 = np.maximum(Z1, 0.0)
    Z2 = H1 @ W2 + b2
    P = softmax(Z2)
    loss = -np.mean(np.log(P[np.arange(len(y)), y]))
    cache = {"X": X, "y": y, "W1": W1, "W2": W2, "Z1": Z1, "H1": H1, "P": P}
    return loss, cache


def backward(cache):
    X, y, P = cache["X"], cache["y"], cache["P"]
    B = X.shape[0]

    dZ2 = P.copy()
    dZ2[np.arange(B), y] -= 1.0
    # forgot: dZ2 /= B

    dW2 = cache["H1"].T @ dZ2
    db2 = dZ2.sum(axis=0)

    dH1 = dZ2 @ cache["W2"].T
    dZ1 = dH1 * (cache["H1"] >= 0)

    dW1 = X.T @ dZ1
    db1 = dZ1.sum(axis=0)
    dX = dZ1 @ cache["W1"].T
    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "X": dX}


def torch_forward_backward(X, y, W1, b1, W2, b2):
    leaves = [torch.tensor(a, requires_grad=True) for a in (X, W1, b1, W2, b2)]
    tX, tW1, tb1, tW2, tb2 = leaves
    logits = F.relu(tX @ tW1 + tb1) @ tW2 + tb2
    loss = F.cross_entropy(logits, torch.as_tensor(y, dtype=torch.int64))
    loss.backward()
    return loss, dict(zip(("X", "W1", "b1", "W2", "b2"), (t.grad for t in leaves)))


def verify(X, y, W1, b1, W2, b2):
    loss, cache = forward(X, y, W1, b1, W2, b2)
    mine = backward(cache)
    print("loss", loss)
    tloss, theirs = torch_forward_backward(X, y, W1, b1, W2, b2)
    return all(np.allclose(mine[k], theirs[k].numpy(), atol=1e-6) for k in mine)
'''

TRACEBACK = """Traceback (most recent call last):
  File "solution.py", line 15, in forward
    P = softmax(Z2)
  File "solution.py", line 10, in softmax
    shifted = Z - Z.max(axis=1, keepdims=True)
ValueError: operands could not be broadcast together with shapes (7,3) (3,7)
"""

ANSWERS = """## Q1
Subtracting the row's maximum leaves softmax unchanged, and no exponent can overflow.

## Q2
The loss is a mean, so 1/B enters once, in dZ2.
"""

HOSTILE = (
    '<script>alert(1)</script>"><img src=x onerror=alert(2)>'
    "\x1b[31mred\x1b[0m \u202egnp.exe\u202c \u2066x\u2069 \x00\x07\x9b \ud800 {{ 7*7 }}"
)
"""HTML, ANSI, bidi, NUL, C1, a lone surrogate and a template: one text for every sink."""

ISOLATION = MappingProxyType(
    {
        "user namespace": "yes, uid 65534",
        "network": "none (own namespace, no interfaces)",
        "file system": "read-only root, tmpfs of 16 MiB at /tmp",
        "system calls": "seccomp filter, 61 allowed",
        "limits": "CPU 10 s, memory 1 GiB, 16 processes",
    }
)

PASSING = (
    ("submission.loads", "The file imports", "submission"),
    ("forward.runs", "forward returns (loss, cache)", "forward"),
    ("forward.loss", "The loss is right", "forward"),
    ("forward.scalar", "The loss is a scalar", "forward"),
    ("forward.mean", "The loss is a mean over the batch", "forward"),
    ("forward.overflow", "Huge logits do not overflow", "forward"),
    ("forward.row_max", "The maximum is taken per row", "forward"),
    ("forward.gather", "Labels are gathered per row", "forward"),
    ("forward.bias", "Biases are added per unit", "forward"),
    ("forward.shapes", "Intermediates have their shapes", "forward"),
    ("forward.pure", "Arguments are left unchanged", "forward"),
    ("forward.repeatable", "The same answer twice", "forward"),
    ("forward.float32", "float32 in, float32 out", "forward"),
    ("backward.runs", "backward returns the five gradients", "backward"),
    ("backward.dW1_shape", "dW1 has the shape of W1", "backward"),
    ("backward.db1_shape", "db1 has the shape of b1", "backward"),
    ("backward.repeatable", "backward gives the same twice", "backward"),
    ("backward.vectorised", "No Python loop over the batch", "backward"),
    ("pytorch.runs", "torch_forward_backward runs", "pytorch"),
    ("pytorch.loss", "The loss is right", "pytorch"),
    ("pytorch.dW1", "The gradient of W1 is right", "pytorch"),
    ("pytorch.logits", "Raw logits go into the loss", "pytorch"),
    ("pytorch.autograd", "The gradients come from autograd", "pytorch"),
    ("verification.exists", "verify is written", "verification"),
)


def _passed(identity: str, title: str, part: str) -> CheckGrade:
    evidence = tuple(
        Evidence("loss", "2.302585", "2.302585", case, "1.00", CheckStatus.PASS)
        for case in ("primes", "equal", "zeros")
    )
    return CheckGrade(
        identity, title, part, CheckStatus.PASS, 2.5, 2.5, "Agrees with autograd.", "", evidence
    )


def _gradient(name: str, title: str) -> CheckGrade:
    return CheckGrade(
        id=f"backward.{name}",
        title=title,
        part="backward",
        status=CheckStatus.FAIL,
        points=0.0,
        max_points=2.5,
        message=f"{name} is 5.00 × the expected gradient at B=5, and 7.00 × at B=7.",
        hint="Divide by the batch size once, in `dZ2`.",
        evidence=(
            Evidence(f"{name}, largest entry", "0.031882", "0.159410", "primes", "5.00"),
            Evidence(f"{name}, largest entry", "0.018219", "0.127533", "equal", "7.00"),
            Evidence(
                f"{name}, shape", "(D, H) = (11, 13)", "(11, 13)", "primes", "", CheckStatus.PASS
            ),
        ),
        explained_by=("batch-mean-missing",),
    )


def _checks() -> tuple[CheckGrade, ...]:
    failed = (
        _gradient("dW1", "The gradient of W1 is right"),
        _gradient("db1", "The gradient of b1 is right"),
        _gradient("dW2", "The gradient of W2 is right"),
        CheckGrade(
            id="backward.relu_mask",
            title="The gradient passes exactly where Z1 > 0",
            part="backward",
            status=CheckStatus.FAIL,
            points=0.0,
            max_points=4.0,
            message="71 of 143 entries of dZ1 are nonzero where Z1 < 0.",
            hint="Use a strict comparison: `H1 > 0`.",
            evidence=(Evidence("entries passed where Z1 < 0", "0", "71", "primes"),),
            explained_by=("relu-mask-not-strict",),
        ),
        CheckGrade(
            id="forward.underflow",
            title="A hopeless true class gives a finite loss",
            part="forward",
            status=CheckStatus.FAIL,
            points=0.0,
            max_points=2.0,
            message="The loss is inf where the true class lies 10 000 below the largest logit.",
            hint="Compute log-softmax directly: `Z2 - max - log(sum(exp(Z2 - max)))`.",
            evidence=(Evidence("loss", "10000.0", "inf", "spread"),),
        ),
    )
    waiting = CheckGrade(
        "verification.accepts",
        "verify accepts a correct pair",
        "verification",
        CheckStatus.SKIPPED,
        0.0,
        3.0,
        "Waits for backward.dW1.",
    )
    marked = CheckGrade(
        "quality.derivation",
        "The derivation in the comments is sound",
        "quality",
        CheckStatus.MANUAL,
        0.0,
        10.0,
        "A person marks this.",
    )
    return (*(_passed(*row) for row in PASSING), *failed, waiting, marked)


def _parts() -> tuple[PartGrade, ...]:
    guidance = (
        "Full marks: each step is derived, shapes included.",
        "Half: formulas without a derivation.",
    )
    return (
        PartGrade(
            "forward",
            "Forward pass",
            28.0,
            30.0,
            0.0,
            (
                ItemGrade("loss", "Correct loss", 20, 20, ("forward.loss", "forward.mean")),
                ItemGrade(
                    "stable",
                    "Numerical stability",
                    8,
                    10,
                    ("forward.overflow", "forward.underflow"),
                ),
            ),
        ),
        PartGrade(
            "backward",
            "Backward pass by hand",
            28.5,
            33.0,
            0.0,
            (
                ItemGrade(
                    "gradients",
                    "Gradients agree with autograd",
                    20.5,
                    25,
                    ("backward.dW1", "backward.db1", "backward.dW2", "backward.relu_mask"),
                    given_back=4.25,
                ),
                ItemGrade("vectorised", "Vectorised", 8, 8, ("backward.vectorised",)),
            ),
        ),
        PartGrade(
            "pytorch",
            "PyTorch",
            22.0,
            22.0,
            0.0,
            (
                ItemGrade("autograd", "Autograd used properly", 20, 20, ("pytorch.autograd",)),
                ItemGrade("logits", "Raw logits", 2, 2, ("pytorch.logits",), bonus=True),
            ),
        ),
        PartGrade(
            "quality",
            "Explanation",
            0.0,
            0.0,
            15.0,
            (
                ItemGrade(
                    "derivation", "The derivation is sound", 0, 10, (), True, False, guidance
                ),
                ItemGrade("answers", "Written follow-up answers", 0, 5, (), open=True),
            ),
        ),
    )


def _defects() -> tuple[Defect, ...]:
    return (
        Defect(
            "relu-mask-not-strict",
            Severity.MINOR,
            "The ReLU's mask lets the gradient pass where the unit is off, because H1 >= 0 always.",
            "Write `dH1 * (Z1 > 0)`.",
            ("W1", "b1", "X"),
            Confidence.LIKELY,
            "solution.py",
            37,
            37,
            '    dZ1 = dH1 * (cache["H1"] >= 0)',
        ),
        Defect(
            "batch-mean-missing",
            Severity.MAJOR,
            "The loss is a mean, but its gradient is never divided by the batch size.",
            "Divide once, where the gradient starts: `dZ2 /= B`.",
            ("W1", "b1", "W2", "b2", "X"),
            Confidence.PROVEN,
            "solution.py",
            29,
            30,
            "    dZ2 = P.copy()\n    dZ2[np.arange(B), y] -= 1.0",
        ),
        Defect(
            "cache-extra",
            Severity.INFO,
            "The cache also holds `Z1`, which backward does not need beside `H1`.",
            "Keep `Z1` or `H1`, whichever the mask reads.",
        ),
    )


def _graph() -> tuple[GraphNode, ...]:
    """1/B is missing at dZ2, and dZ1 is wrong besides; the PyTorch part is right."""
    mean, mask = ("batch-mean-missing",), ("relu-mask-not-strict",)
    because = {"dZ2": mean, "dW2": mean, "db2": mean, "dH1": mean, "dZ1": mask}
    because |= dict.fromkeys(("dW1", "db1", "dX"), (*mean, *mask))
    here, ends = {"dZ2": 29, "dZ1": 37}, ("loss", "dW1", "db1", "dW2", "db2", "dX")
    found = []
    for part, parents in (("numpy", NUMPY), ("torch", TORCH)):
        for name in parents:
            codes = because.get(name, ()) if part == "numpy" else ()
            status = Standing.GIVEN if name in INPUTS else Standing.RIGHT
            if part == "torch" and name in ("Z1", "H1", "Z2"):
                status = Standing.UNSEEN
            if codes:
                status = Standing.WRONG if name in here else Standing.FOLLOWS
            line = here.get(name) if codes else None
            file = "solution.py" if line else None
            known = name in ends
            node = GraphNode(part, name, status, codes, SHAPES[name], known, "", file, line)
            found.append(node)
    return tuple(found)


def _annotations() -> tuple[Annotation, ...]:
    mean = ("batch-mean-missing",)
    rows = (
        (15, "forward", "Z1", "[B, H]", Standing.RIGHT, ()),
        (19, "forward", "loss", "a scalar", Standing.RIGHT, ()),
        (29, "backward", "P - onehot", "[B, C]", Standing.WRONG, mean),
        (32, "backward", "B·dW2", "[H, C]", Standing.FOLLOWS, mean),
        (36, "backward", "", "[B, H]", Standing.UNSEEN, ()),
        (37, "backward", "mask(H1)", "[B, H]", Standing.WRONG, ("relu-mask-not-strict",)),
    )
    return tuple(
        Annotation("solution.py", line, 4, line, 40, phase, tensor, shape, right, because)
        for line, phase, tensor, shape, right, because in rows
    )


@pytest.fixture
def usual() -> Result:
    """A good submission with two bugs, an exception, output and open points."""
    frames = (Frame("solution.py", 19, "forward"), Frame("solution.py", 10, "softmax"))
    raised = Observation(
        Ended.RAISED,
        error="ValueError: operands could not be broadcast together with shapes (7,3) (3,7)",
        traceback=TRACEBACK,
        frames=frames,
        seconds=0.01,
    )
    fine = Observation(Ended.OK, seconds=0.002)
    slow = Observation(Ended.TIMEOUT, error="no answer after 10 s", seconds=10.0)
    process = ProcessReport(fine, output="loss 2.3025\n", output_bytes=12, isolation=ISOLATION)
    return Result(
        submission=Submission(
            id="ada-lovelace",
            name="Ada Lovelace",
            digest="sha256:" + "3f" * 32,
            files=(
                SourceFile("answers.md", ANSWERS.encode()),
                SourceFile("solution.py", SOURCE.encode()),
                SourceFile("tools/plot.py", b"import math\n\nprint(math.pi)\n"),
            ),
            main="solution.py",
            answers=ANSWERS,
            passed_over=("__pycache__/solution.cpython-311.pyc", ".DS_Store"),
        ),
        rubric_id="backprop-two-layer",
        rubric_title="Backprop for a two-layer network",
        rubric_digest="sha256:" + "a1" * 32,
        seed=8112263554,
        grade=Grade(
            status=GradeStatus.GRADED,
            score=78.5,
            max_score=85.0,
            open_points=15.0,
            band="Strong",
            parts=_parts(),
            checks=_checks(),
            dimensions=(
                DimensionGrade("correctness", "Correctness", 21, 25, ("forward.loss",)),
                DimensionGrade("stability", "Numerical stability", 3, 4, ("forward.overflow",)),
                DimensionGrade("shapes", "Shapes and broadcasting", 9, 9, ("forward.shapes",)),
                DimensionGrade("rigour", "Verification", 0, 0, ()),
            ),
            charges=(Charge("batch-mean-missing", 6.0),),
        ),
        defects=_defects(),
        observations=Observations(
            numpy=process,
            torch=replace(process, output="", output_bytes=0),
            runs={"forward/primes": fine, "forward/narrow": raised, "backward/real": slow},
        ),
        timing={"wall_s": 3.127, "sandbox_s": 2.41},
        annotations=_annotations(),
        graph=_graph(),
    )


@pytest.fixture
def pictured(usual: Result) -> Result:
    """The usual result, with every kind of picture."""
    return replace(usual, pictures=ALL)


@pytest.fixture
def undecided(usual: Result) -> Result:
    """The harness failed half-way."""
    grade = replace(
        usual.grade, status=GradeStatus.UNDECIDED, score=0.0, band=None, checks=_checks()[:3]
    )
    fault = "The zygote for the PyTorch part died while starting (signal 9)."
    return replace(usual, grade=grade, fault=fault, defects=(), annotations=(), graph=())


@pytest.fixture
def unloadable(usual: Result) -> Result:
    """A syntax error: the file never loads, so nothing else was seen."""
    text = "import numpy as np\n\ndef forward(X, y, W1, b1, W2, b2)\n    return 0\n"
    error = "SyntaxError: expected ':'"
    loaded = Observation(
        Ended.RAISED,
        error=error,
        traceback=f'  File "solution.py", line 3\n{error}\n',
        frames=(Frame("solution.py", 3, "<module>"),),
    )
    process = ProcessReport(loaded)
    checks = tuple(
        replace(
            check, status=CheckStatus.SKIPPED, points=0.0, message="Waits for submission.loads."
        )
        for check in _checks()
    )
    first = replace(checks[0], status=CheckStatus.FAIL, message=f"Line 3: {error}")
    parts = tuple(
        replace(part, points=0.0, items=tuple(replace(i, points=0) for i in part.items))
        for part in usual.grade.parts
    )
    grade = replace(
        usual.grade, score=0.0, band="Not yet", checks=(first, *checks[1:]), parts=parts
    )
    submission = replace(
        usual.submission, files=(SourceFile("solution.py", text.encode()),), answers=""
    )
    return replace(
        usual,
        submission=submission,
        grade=grade,
        defects=(),
        observations=Observations(process, process, {}),
        annotations=(),
        graph=(),
    )


@pytest.fixture
def hostile_text() -> str:
    """One text with everything that could break a sink."""
    return HOSTILE


@pytest.fixture
def hostile(usual: Result) -> Result:
    """Every text a stranger controls, at its worst."""
    path = f"{HOSTILE}.py"
    source = f"# {HOSTILE}\nx = '''{HOSTILE}\n{HOSTILE}'''\r\ny = 1\rz = '</code></script>"
    data = source.encode("utf-8", "surrogatepass")
    frame = Frame(path, 2, HOSTILE)
    frames = (frame, Frame("gone.py", 1, "f"))
    bad = Observation(Ended.RAISED, error=HOSTILE, traceback=HOSTILE, frames=frames)
    facts = {"unisolated": HOSTILE, HOSTILE: HOSTILE}
    process = ProcessReport(
        bad,
        stand_ins=(HOSTILE,),
        binding=HOSTILE,
        deviations=(HOSTILE,),
        alternatives=(HOSTILE,),
        output=HOSTILE * 3,
        output_bytes=999,
        isolation=facts,
    )
    evidence = (Evidence(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE),)
    checks = tuple(
        replace(check, message=HOSTILE, hint=HOSTILE, evidence=evidence, explained_by=("nowhere",))
        for check in usual.grade.checks
    )
    defects = tuple(
        replace(defect, message=HOSTILE, hint=HOSTILE, file=path, line=1, source=HOSTILE)
        for defect in (*usual.defects, usual.defects[0])
    )
    nodes = tuple(
        replace(
            node, because=(HOSTILE, *node.because), shape=HOSTILE, note=HOSTILE, file=path, line=1
        )
        for node in usual.graph
    )
    beside = tuple(
        replace(a, file=path, line=1 + i % 3, tensor=HOSTILE, shape=HOSTILE, because=(HOSTILE,))
        for i, a in enumerate(usual.annotations)
    )
    return replace(
        usual,
        submission=replace(
            usual.submission,
            name=HOSTILE,
            files=(SourceFile(path, data), SourceFile(HOSTILE, b"\xff\xfe")),
            main=path,
            answers=HOSTILE,
            passed_over=(HOSTILE,),
        ),
        rubric_title=HOSTILE,
        grade=replace(usual.grade, checks=checks, gates=(HOSTILE,), band=HOSTILE),
        defects=defects,
        observations=Observations(process, process, {HOSTILE: bad}),
        fault=HOSTILE,
        annotations=beside,
        graph=nodes,
    )
