"""Methods of explanation and their controls, by name: what people call them, what maps are of.

Names alone, so that who reads tables or maps needs no network.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

CLASSES = {"diseased": 1, "healthy": -1}
"""Class → sign with which the logit is its score."""

SCORE = "logit"
"""What is explained: the logit, or its negative for the healthy class."""

FEATURES, INPUT = "pool", "pixels"
"""Layers that maps are of: `pool` stands for the feature map that enters it."""


@dataclass(frozen=True)
class Method:
    """A way to ask where a network looks; `explaining` has the function.

    Attributes:
        title: What people call it.
        layer: The layer that its maps are of.
        mirrored: Whether the map of the healthy class follows from that of the diseased one: it is
            its negative, or, where only the size counts, the same.
        averages: Whether it averages many gradients, and takes as long as that many others.
    """

    title: str
    layer: str
    mirrored: bool = False
    averages: bool = False


METHODS: Mapping[str, Method] = {
    "cam": Method("CAM", FEATURES, mirrored=True),
    "grad_cam": Method("Grad-CAM", FEATURES),
    "guided_backpropagation": Method("guided backpropagation", INPUT),
    "guided_grad_cam": Method("Guided Grad-CAM", INPUT),
    "integrated_gradients": Method("integrated gradients", INPUT, mirrored=True, averages=True),
    "smooth_grad": Method("SmoothGrad", INPUT, mirrored=True, averages=True),
}
"""Name in files, configuration and tables → method."""

COARSE, FINE, REFERENCE = "cam", "guided_grad_cam", "integrated_gradients"
"""The two methods of the study, a map of regions and one of pixels, and the reference for these."""

TITLES: Mapping[str, str] = {name: method.title for name, method in METHODS.items()}
"""Name → what people call it."""

FAST = tuple(name for name, method in METHODS.items() if not method.averages)
"""Methods that need few gradients."""

TWO_SIDED = tuple(name for name, method in METHODS.items() if not method.mirrored)
"""Methods whose map of the healthy class says something that the other does not."""

KEPT: Mapping[str, Sequence[str]] = {"diseased": tuple(METHODS), "healthy": TWO_SIDED}
"""Class → methods whose maps of it are kept."""

PIXELS, PATCHES, MIDDLE = "random_pixels", "random_patches", "middle"

ORDERS: Mapping[str, str] = {
    PIXELS: "pixels by chance",
    PATCHES: "patches by chance",
    MIDDLE: "the middle first",
}
"""Orders of pixels that no network made, controls of `deletion` → what people call them."""
