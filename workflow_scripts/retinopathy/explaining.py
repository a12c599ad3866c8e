"""Maps of photographs by every method."""

from collections.abc import Callable, Mapping, Sequence

from retinopathy import saliency
from retinopathy.framework import keras
from retinopathy.maps import ByClass, Heat, Pixels
from retinopathy.methods import CLASSES, KEPT, METHODS

_EXPLAIN: Mapping[str, Callable[[keras.Model, Pixels, int, int], Heat]] = {
    "cam": lambda model, seen, sign, _: saliency.cam(model, seen, sign=sign),
    "grad_cam": lambda model, seen, sign, _: saliency.grad_cam(model, seen, sign=sign),
    "guided_backpropagation": lambda model, seen, sign, _: saliency.strength(
        saliency.guided_backpropagation(model, seen, sign=sign)
    ),
    "guided_grad_cam": lambda model, seen, sign, _: saliency.strength(
        saliency.guided_grad_cam(model, seen, sign=sign)
    ),
    "integrated_gradients": lambda model, seen, sign, samples: saliency.integrated_gradients(
        model, seen, sign=sign, steps=samples
    ).sum(axis=-1),
    "smooth_grad": lambda model, seen, sign, samples: saliency.strength(
        saliency.smooth_grad(model, seen, sign=sign, samples=samples)
    ),
}
"""Method → model, photographs, sign, and how many gradients are averaged where any are → maps."""


def explain(
    model: keras.Model,
    seen: Pixels,
    methods: Sequence[str] = tuple(METHODS),
    *,
    sign: int = 1,
    samples: int = saliency.SAMPLES,
) -> dict[str, Heat]:
    """Return the maps of photographs by several methods.

    Args:
        model: A flat model; for `cam` it ends in global average pooling and one dense layer.
        seen: Photographs as records hold them, uint8 (n, size, size, 3).
        methods: Names of `METHODS`.
        sign: +1 for the diseased class, −1 for the healthy one.
        samples: Gradients that integrated gradients and SmoothGrad average, per photograph.

    Returns:
        Method → float32 (n, h, w). `cam` (of either sign) and `grad_cam` (≥ 0) are on the grid of
        the last feature map, the others (n, size, size) without their colours: integrated gradients
        are summed over them, of the rest the largest absolute value is kept.

    Raises:
        Explained: The model suits a method not.
        KeyError: There is no such method.
    """
    return {name: _EXPLAIN[name](model, seen, sign, samples) for name in methods}


def explain_classes(model: keras.Model, seen: Pixels, samples: int) -> ByClass:
    """Return the maps of `KEPT`, by method and class; args and errors are those of `explain`."""
    return {
        (method, name): heat
        for name, methods in KEPT.items()
        for method, heat in explain(
            model, seen, methods, sign=CLASSES[name], samples=samples
        ).items()
    }
