"""What torch imports late is preloaded for those who will need it."""

from __future__ import annotations

from grader.observe.modules import NUMPY_MODULES, TORCH_MODULES, torch_modules


def test_extras_are_loaded_by_the_word_that_needs_them() -> None:
    assert torch_modules(b"x = 1") == TORCH_MODULES
    assert "torch.distributed.tensor" in torch_modules(b"torch.testing.assert_close(a, b)")
    assert set(torch_modules()) > set(torch_modules(b"gradcheck"))
    assert set(NUMPY_MODULES) < set(TORCH_MODULES)
