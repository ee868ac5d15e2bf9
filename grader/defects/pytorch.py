"""Mistakes in the PyTorch part; its forward can have the forward's as well."""

from __future__ import annotations

from functools import partial

from grader.defects.edits.formulas import divide_by_B
from grader.defects.edits.toggles import (
    change_keywords,
    change_reduction,
    drop,
    keep_part,
    keep_right_part,
    widen,
)
from grader.defects.kind import Centrality, Cover, Kind, Repeat, Sign
from grader.defects.signs.pytorch import (
    added_to_grad,
    no_gradient_below,
    no_gradient_of_a_leaf,
    none_behind_a_cut,
    none_of_a_leaf,
    refused_by_autograd,
    refused_in_place,
    single_arithmetic,
    without_engine,
)
from grader.defects.simulations import (
    added_to_leaves,
    rounded_to_single,
)
from grader.defects.sites.pytorch import backward_call, by_hand, cut, leaf, single, written_in_place
from grader.records import Part

kind = partial(Kind, part=Part.PYTORCH)

PYTORCH: tuple[Kind, ...] = (
    kind(
        code="torch-double-softmax",
        centrality=Centrality.PYTORCH_SIDE,
        what="The loss function is fed probabilities and applies its own softmax to them.",
        shows="pytorch.logits and pytorch.loss fail; the loss stays near log C.",
        why="F.cross_entropy is log_softmax followed by nll_loss: it wants Z2 as it is.",
        hint="Read what F.cross_entropy expects as its input.",
        ask="What does F.cross_entropy expect as its first argument?",
        wrong="loss = F.cross_entropy(torch.softmax(Z2, dim=1), y)",
        right="loss = F.cross_entropy(Z2, y)",
        repairs=(keep_right_part, keep_part),
    ),
    kind(
        code="torch-reduction-sum",
        centrality=Centrality.PYTORCH_SIDE,
        what="The autograd side reduces the batch in another way than by its mean.",
        shows="pytorch.mean fails: loss and gradients are B times the expected ones.",
        why="reduction='sum' is Σ_b ℓ_b, B times the mean; no tolerance can make the sides agree.",
        hint="Look at the reduction of the loss, or at what you multiply it by.",
        ask="How does your PyTorch loss reduce the batch?",
        wrong='loss = F.cross_entropy(Z2, y, reduction="sum")',
        right='loss = F.cross_entropy(Z2, y, reduction="mean")',
        repairs=(change_keywords, change_reduction, divide_by_B),
    ),
    kind(
        code="torch-grad-accumulates",
        centrality=Centrality.EXTREMES_OR_CHECKS,
        what="A repeated call finds the last call's gradients in .grad and adds its own.",
        shows="pytorch.repeatable fails: the second gradients are twice the first.",
        why="loss.backward() does leaf.grad += ∂loss/∂leaf; nothing resets it by itself.",
        hint="Make the leaves inside the function, or reset .grad before backward.",
        ask="What does .grad hold before the second call of backward?",
        wrong="def step(leaf):\n    (leaf**2).sum().backward()\n    return leaf.grad.clone()",
        right="def step(leaf):\n"
        "    leaf.grad = None\n"
        "    (leaf**2).sum().backward()\n"
        "    return leaf.grad.clone()",
        signs=(Sign(added_to_grad, ("pytorch.repeatable",), unless="pytorch.autograd"),),
        simulation=added_to_leaves,
        placed=backward_call,
        repairs=(drop, keep_part),
        repeat=Repeat.UNSTEADY,
    ),
    kind(
        code="torch-leaf-without-grad",
        centrality=Centrality.PYTORCH_SIDE,
        what="Autograd was not asked to follow one of the five tensors.",
        shows="pytorch.graph fails and names the tensor, often X: its .grad is None. pytorch.runs "
        "fails where that None is used.",
        why="Only leaves with requires_grad=True get a .grad; what .to(), .double() or a product\n"
        "gives back is no leaf any more.",
        hint="Check .is_leaf and .requires_grad of all five before the forward.",
        ask="Which of your tensors are leaves that require a gradient?",
        wrong="leaf = torch.tensor(X)",
        right="leaf = torch.tensor(X, requires_grad=True)",
        signs=(Sign(no_gradient_of_a_leaf), Sign(none_of_a_leaf)),
        unmeasured=True,
        covers=(Cover(("runtime-error",), lends_line=True),),
        placed=leaf,
        sharper=True,
        repairs=(change_keywords,),
        not_returned=True,
    ),
    kind(
        code="torch-graph-detached",
        centrality=Centrality.PYTORCH_SIDE,
        what="A conversion in the middle of the forward cuts autograd off from what is above.",
        shows="pytorch.graph fails: gradients upstream of the cut are None. pytorch.runs fails "
        "where such a None is used or backward raises.",
        why="detach, .data, .numpy() and no_grad give the value without its history, and the\n"
        "chain rule stops where the history does.",
        hint="Follow .grad_fn from the loss upwards; it ends where the cut is.",
        ask="Where does .grad_fn end when you follow it upwards from the loss?",
        wrong="H1 = torch.relu(Z1.detach())",
        right="H1 = torch.relu(Z1)",
        signs=(Sign(no_gradient_below), Sign(refused_by_autograd), Sign(none_behind_a_cut)),
        unmeasured=True,
        covers=(Cover(("runtime-error",), lends_line=True),),
        placed=cut,
        repairs=(keep_part,),
    ),
    kind(
        code="torch-inplace",
        centrality=Centrality.PYTORCH_SIDE,
        what="A tensor that backward will read is overwritten after it was used.",
        shows="pytorch.runs fails: 'modified by an inplace operation', or a leaf refuses it.",
        why="The product H1 @ W2 keeps H1 to compute dW2; after H1 *= 0.5 that H1 is gone, and\n"
        "autograd's version counter notices.",
        hint="Replace the operation that ends in _ or in an augmented assignment by a new tensor.",
        ask="Which tensor does backward still need when you overwrite it?",
        wrong="Z2 = H1 @ W2 + b2\nH1 *= 0.5\n(dW2,) = torch.autograd.grad(Z2.sum(), W2)",
        right="Z2 = H1 @ W2 + b2\nhalf = H1 * 0.5\n(dW2,) = torch.autograd.grad(Z2.sum(), W2)",
        signs=(Sign(refused_in_place),),
        unmeasured=True,
        covers=(Cover(("runtime-error",), lends_line=True),),
        placed=written_in_place,
        repairs=(drop, keep_part),
    ),
    kind(
        code="torch-manual-gradient",
        centrality=Centrality.PYTORCH_SIDE,
        what="The PyTorch side repeats the derivation by hand and does not ask autograd.",
        shows="pytorch.autograd fails: whatever autograd's engine gives, these gradients stay.",
        why="A derivation compared with its own copy agrees even where both are wrong.",
        hint="Let loss.backward() or torch.autograd.grad compute all five.",
        ask="What does it prove when a derivation agrees with its own copy?",
        wrong="dZ2 = (torch.softmax(Z2, dim=1) - onehot) / B\ndW2 = H1.T @ dZ2",
        right="loss = F.cross_entropy(H1 @ W2 + b2, y)\n(dW2,) = torch.autograd.grad(loss, W2)",
        signs=(Sign(without_engine, ("pytorch.autograd",)),),
        shuts=("pytorch.d{tensor}", "pytorch.graph", "pytorch.autograd"),
        covers=(Cover(("torch-precision-lost",)),),
        placed=by_hand,
        beyond_edits=True,
    ),
    kind(
        code="torch-precision-lost",
        centrality=Centrality.EXTREMES_OR_CHECKS,
        what="float64 arrays are turned into float32 tensors on the way in.",
        shows="pytorch.float64 fails: the values agree to about 7 digits and no further.",
        why="float32 has eps = 1.2e-7, so a comparison at 1e-9 fails though all formulas hold.",
        hint="Keep the dtype that comes in; torch.Tensor(...) and .float() do not.",
        ask="How many digits does float32 hold, and where do your tensors become float32?",
        wrong="leaf = torch.tensor(W1, dtype=torch.float32)",
        right="leaf = torch.tensor(W1)  # keeps float64",
        signs=(Sign(single_arithmetic, ("pytorch.float64",)),),
        simulation=rounded_to_single,
        placed=single,
        repairs=(change_keywords, widen, keep_part),
    ),
)
