"""What candidates put in the ReLU's place: functions of Z1 [B, H], with their derivatives."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from grader.records import Array

Elementwise = Callable[[Array], Array]


def _sigmoid(Z: Array) -> Array:
    return np.asarray(1.0 / (1.0 + np.exp(-Z)))


def _gauss(Z: Array) -> Array:
    return np.asarray(0.5 * (1.0 + np.vectorize(math.erf, [float])(Z / math.sqrt(2.0))))


def _bell(Z: Array) -> Array:
    return np.asarray(np.exp(-Z * Z / 2.0) / math.sqrt(2.0 * math.pi))


def _leaky(slope: float) -> tuple[str, Elementwise, Elementwise]:
    return (
        f"leaky ReLU with slope {slope:g}",
        lambda Z: np.where(Z > 0, Z, slope * Z),
        lambda Z: np.where(Z > 0, 1.0, slope),
    )


def _clipped(name: str, low: float, high: float) -> tuple[str, Elementwise, Elementwise]:
    return (name, lambda Z: np.clip(Z, low, high), lambda Z: 1.0 * ((low < Z) & (high > Z)))


def _swish(name: str, steepness: float) -> tuple[str, Elementwise, Elementwise]:
    def slope(Z: Array) -> Array:
        gate = _sigmoid(steepness * Z)
        return np.asarray(gate * (1 + steepness * Z * (1 - gate)))

    return name, lambda Z: Z * _sigmoid(steepness * Z), slope


def _tanh_gelu(Z: Array) -> Array:
    return np.asarray(0.5 * Z * (1 + np.tanh(_bent(Z))))


def _tanh_gelu_slope(Z: Array) -> Array:
    t = np.tanh(_bent(Z))
    inner = math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * Z**2)
    return np.asarray(0.5 * (1 + t) + 0.5 * Z * (1 - t**2) * inner)


def _bent(Z: Array) -> Array:
    return np.asarray(math.sqrt(2 / math.pi) * (Z + 0.044715 * Z**3))


def _mish_slope(Z: Array) -> Array:
    t = np.tanh(np.logaddexp(0.0, Z))
    return np.asarray(t + Z * (1 - t**2) * _sigmoid(Z))


SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772
"""Klambauer et al. 2017, eq. 14."""

ACTIVATIONS: tuple[tuple[str, Elementwise, Elementwise], ...] = (
    ("tanh", np.tanh, lambda Z: 1.0 - np.tanh(Z) ** 2),
    ("sigmoid", _sigmoid, lambda Z: _sigmoid(Z) * (1.0 - _sigmoid(Z))),
    ("abs", np.abs, np.sign),
    *(_leaky(s) for s in (0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.3, 0.5, 0.001)),
    ("ELU", lambda Z: np.where(Z > 0, Z, np.expm1(Z)), lambda Z: np.where(Z > 0, 1.0, np.exp(Z))),
    (
        "SELU",
        lambda Z: SELU_SCALE * np.where(Z > 0, Z, SELU_ALPHA * np.expm1(Z)),
        lambda Z: SELU_SCALE * np.where(Z > 0, 1.0, SELU_ALPHA * np.exp(Z)),
    ),
    ("softplus", lambda Z: np.logaddexp(0.0, Z), _sigmoid),
    ("the square", np.square, lambda Z: 2.0 * Z),
    ("the ReLU's square", lambda Z: np.maximum(Z, 0.0) ** 2, lambda Z: 2.0 * np.maximum(Z, 0.0)),
    ("the cube", lambda Z: Z**3, lambda Z: 3.0 * Z**2),
    ("exp", np.exp, np.exp),
    _clipped("a ReLU capped at 1", 0.0, 1.0),
    _clipped("a ReLU capped at 6", 0.0, 6.0),
    _clipped("a clip to [-1, 1]", -1.0, 1.0),
    ("a step", lambda Z: 1.0 * (Z > 0), lambda Z: 0.0 * Z),
    ("min in place of max", lambda Z: np.minimum(Z, 0.0), lambda Z: 1.0 * (Z < 0)),
    ("the ReLU of -Z1", lambda Z: np.maximum(-Z, 0.0), lambda Z: -1.0 * (Z < 0)),
    ("max(Z1, 1)", lambda Z: np.maximum(Z, 1.0), lambda Z: 1.0 * (Z > 1)),
    ("sine", np.sin, np.cos),
    ("GELU", lambda Z: Z * _gauss(Z), lambda Z: _gauss(Z) + Z * _bell(Z)),
    ("GELU by tanh", _tanh_gelu, _tanh_gelu_slope),
    ("softsign", lambda Z: Z / (1 + np.abs(Z)), lambda Z: 1 / (1 + np.abs(Z)) ** 2),
    _swish("SiLU", 1.0),
    _swish("GELU by sigmoid", 1.702),
    ("Mish", lambda Z: Z * np.tanh(np.logaddexp(0.0, Z)), _mish_slope),
)
"""(name, function, derivative)."""

SLOPES: Mapping[str, Elementwise] = {name: slope for name, _, slope in ACTIVATIONS}

NAIVE: tuple[tuple[str, Elementwise], ...] = (
    ("softplus", lambda Z: np.log1p(np.exp(Z))),
    ("tanh", lambda Z: (np.exp(Z) - np.exp(-Z)) / (np.exp(Z) + np.exp(-Z))),
    ("SiLU", lambda Z: Z * np.exp(Z) / (1.0 + np.exp(Z))),
    ("sigmoid", lambda Z: np.exp(Z) / (1.0 + np.exp(Z))),
)
"""Other spellings of some, which overflow: on huge input only, and by no fault of the softmax."""
