"""Mistakes that show between calls, and in how an answer works."""

from __future__ import annotations

from functools import partial

from grader.defects.edits.formulas import read_class_count
from grader.defects.edits.toggles import copy, drop, keep_part, keep_right_part
from grader.defects.kind import Centrality, Cover, Kind, Repeat, Sign, Within
from grader.defects.signs.conduct import (
    added_gradients,
    another_loss,
    changed_argument,
    differenced,
    fewer_classes,
    other_gradients,
    spoilt_cache,
    unclear,
)
from grader.defects.signs.pytorch import beside_the_loss
from grader.defects.simulations import (
    arguments_changed,
    cache_ignored,
    cache_spoilt,
    classes_from_labels,
    gradients_added,
    other_at_repeat,
)
from grader.defects.sites.conduct import (
    accumulates,
    ignores_cache,
    unsteady,
    writes_argument,
    writes_cache,
)
from grader.defects.sites.layers import LayerSite, shares, spoils, writes
from grader.defects.sites.network import class_count
from grader.records import CheckStatus, Part, Severity

kind = partial(Kind, part=Part.INTAKE)

CONDUCT: tuple[Kind, ...] = (
    kind(
        code="nondeterministic",
        centrality=Centrality.EXTREMES_OR_CHECKS,
        what="Two calls with equal arguments give different results.",
        shows="forward.repeatable, backward.repeatable or pytorch.repeatable fails.",
        why="The loss is a function of its six arguments; a draw inside adds a seventh, unseen.",
        hint="Look for random numbers, dropout or fresh weights inside the function.",
        ask="What in your forward is not a function of its six arguments?",
        wrong="W1 = np.random.randn(D, H)\nZ1 = X @ W1 + b1",
        right="Z1 = X @ W1 + b1  # the W1 that was passed in",
        signs=(Sign(another_loss, ("forward.repeatable",)),),
        simulation=other_at_repeat,
        placed=unsteady,
        repairs=(keep_right_part, keep_part, drop),
        repeat=Repeat.UNSTEADY,
    ),
    kind(
        code="mutates-input",
        centrality=Centrality.EXTREMES_OR_CHECKS,
        what="The caller's array has other numbers in it after the call.",
        shows="forward.pure fails and names the argument.",
        why="NumPy passes arrays by reference, and -=, += and out= write into that same memory.",
        hint="Look for an in-place operation on the argument named, and make a new array there.",
        ask="What does the caller find in W1 after your call?",
        wrong="W1 -= 0.1 * dW1  # writes into the caller's array",
        right="W1 = W1 - 0.1 * dW1  # a new array",
        signs=(Sign(changed_argument, ("forward.pure",)),),
        simulation=arguments_changed,
        placed=writes_argument,
        in_layer=LayerSite(writes),
        repairs=(copy, drop),
        repeat=Repeat.SPOILT,
    ),
    kind(
        code="hidden-state",
        centrality=Centrality.EXTREMES_OR_CHECKS,
        what="backward differentiates the latest forward, whichever cache it is handed.",
        shows="backward.uses_cache fails: after another forward, the gradients are that one's.",
        why="With two forwards A and B before backward(A), whatever lives outside the cache\n"
        "belongs to B by then.",
        hint="Find what backward reads other than its argument: a global, a module's attribute.",
        ask="Which forward does backward differentiate when two were called before it?",
        wrong="def backward(cache):\n    X, y, W1, W2, Z1, H1, P = LAST_CACHE",
        right="def backward(cache):\n    X, y, W1, W2, Z1, H1, P = cache",
        signs=(Sign(other_gradients, ("backward.uses_cache",), unless="backward.repeatable"),),
        simulation=cache_ignored,
        placed=ignores_cache,
        in_layer=LayerSite(shares),
        repairs=(keep_part, drop),
        repeat=Repeat.UNSTEADY,
    ),
    kind(
        code="mutates-cache",
        centrality=Centrality.EXTREMES_OR_CHECKS,
        what="backward overwrites arrays of the cache, so it cannot be run twice on it.",
        shows="backward.repeatable fails: the first gradients are right, the second are not.",
        why="`dZ2 = P` is a second name for the same array: on the next call P holds\n"
        "(P − onehot) / B already, and the one-hot is taken off once more.",
        hint="See which of backward's names is the cache's own array, and copy before writing.",
        ask="What does the cache hold after backward has run once?",
        wrong="dZ2 = P\ndZ2[np.arange(B), y] -= 1\ndZ2 /= B",
        right="dZ2 = P.copy()\ndZ2[np.arange(B), y] -= 1\ndZ2 /= B",
        signs=(Sign(spoilt_cache, ("backward.repeatable",)),),
        simulation=cache_spoilt,
        placed=writes_cache,
        in_layer=LayerSite(spoils, backward_only=True),
        repairs=(copy, drop),
        repeat=Repeat.SPOILT,
    ),
    kind(
        code="grad-accumulates",
        part=Part.BACKWARD,
        centrality=Centrality.EXTREMES_OR_CHECKS,
        what="Gradients of an earlier call are still there, and this call's are added to them.",
        shows="backward.repeatable or backward.uses_cache fails: an earlier gradient is added in.",
        why="backward(cache) is ∂loss/∂· of that cache alone; storage that outlives the call\n"
        "keeps the previous ones.",
        hint="Start each call with fresh arrays; look for += on something made outside.",
        ask="Where do the gradients of the first call live when the second begins?",
        wrong='grads["W2"] += H1.T @ dZ2  # grads was made before the call',
        right='grads = {"W2": H1.T @ dZ2}',
        signs=(Sign(added_gradients, ("backward.repeatable",)),),
        simulation=gradients_added,
        placed=accumulates,
        repairs=(keep_part, drop),
        repeat=Repeat.UNSTEADY,
    ),
    kind(
        code="class-count-from-labels",
        centrality=Centrality.EXTREMES_OR_CHECKS,
        what="The number of classes is read off the labels that happen to be in the batch.",
        shows="forward.gather fails, or backward raises, on a batch without the last class.",
        why="A batch need not contain every class: max(y) + 1 <= C, and equal only by luck.",
        hint="Ask which array always has a column per class, whatever the batch holds.",
        ask="How many classes are there when the last one is absent from the batch?",
        wrong="onehot = np.eye(y.max() + 1)[y]",
        right="onehot = np.eye(W2.shape[1])[y]",
        signs=(Sign(fewer_classes),),
        simulation=classes_from_labels,
        covers=(Cover(("runtime-error",), lends_line=True),),
        placed=class_count,
        repairs=(read_class_count,),
    ),
    kind(
        code="numeric-gradient",
        centrality=Centrality.EXERCISE_NOT_DONE,
        what="backward takes differences of the loss, or carries tangents, and derives nothing.",
        shows="The network is evaluated for every entry in backward: with a real or an imaginary "
        "step, one after another or many at once, or with dual numbers.",
        why="Differences cost a forward per entry, and are exact with an imaginary step only; the\n"
        "task is the chain rule, which costs one backward pass.",
        hint="Derive dZ2 on paper, then follow the chain rule down to X.",
        ask="How many forward passes does your backward take, and how many does the chain rule?",
        wrong="for j in range(C):\n"
        "    step = h * np.eye(C)[j]\n"
        "    db2[j] = (loss_at(b2 + step) - loss_at(b2 - step)) / (2 * h)",
        right="db2 = dZ2.sum(axis=0)",
        signs=(Sign(differenced),),
        covers=(
            Cover(
                ("grad-unexplained", "recomputes-forward", "mutates-cache", "timeout"), Within.PART
            ),
        ),
        beyond_edits=True,
        unmeasured=True,
        shuts=("backward.*",),
    ),
    kind(
        code="gradient-method-unclear",
        part=Part.BACKWARD,
        centrality=Centrality.NONE,
        severity=Severity.INFO,
        what="The gradients are right, and how they come about is for a person to judge.",
        shows="An engine of the candidate's own differentiates any network; what computes the "
        "gradients is not to be seen; or what autograd differentiates is not seen to be the loss.",
        why="The exercise asks for the derivation of this network by hand, and for autograd\n"
        "on its loss. Numbers alone do not tell whose work a right gradient is.",
        hint="Be ready to derive dZ2, dW2 and dZ1 on paper.",
        ask="How do you get dZ1 for this network on the board, with nothing but the chain rule?",
        wrong="for node in reversed(tape):\n    node.backward()",
        right="dZ1 = (dZ2 @ W2.T) * (Z1 > 0)",
        signs=(
            Sign(unclear),
            Sign(beside_the_loss, ("pytorch.autograd",), CheckStatus.MANUAL, beside="pytorch.runs"),
        ),
        beyond_edits=True,
        needs_review=True,
    ),
)
