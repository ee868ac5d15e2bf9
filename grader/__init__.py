"""Grade answers to "backprop for a two-layer network, by hand and with autograd"."""

__version__ = "0.1.0"
