"""Where a network looks: CAM, Grad-CAM, guided backpropagation, Guided Grad-CAM and references.

The score that is explained is the logit of the diseased class, or of the other class (its
negative). Models are flat, with global average pooling in a layer named `pool`; what enters it is
the last feature map. They should compute in float32: in half precision guided gradients may
overflow, as those of Inception v3 with random weights do.

Guided backpropagation and Guided Grad-CAM change little when the weights of a network are made
random (Adebayo et al., Sanity checks for saliency maps, NeurIPS 2018): they show edges as much as
reasons, and should be read beside CAM or Grad-CAM. Integrated gradients and SmoothGrad are
references: slow, and without a feature map to choose.
"""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from retinopathy import fields
from retinopathy.errors import Explained
from retinopathy.framework import keras, tf
from retinopathy.probes import POOL, above, check_flat, probe

Heat = NDArray[np.float32]
Places = NDArray[np.int64]

_EDGE = cv2.BORDER_REPLICATE
_LEAST = 1e-6

BATCH = 8
"""Photographs explained at once, unless told otherwise: about 2 GB for Xception at 448 px."""

STEPS = 32
"""Gradients that integrated gradients sum, per photograph."""

SAMPLES = 32
"""Gradients that SmoothGrad averages, per photograph."""

NOISE = 0.15
"""Standard deviation of SmoothGrad's noise, as a share of the range of a photograph's values."""

BLUR = 0.05
"""Standard deviation of the blur of the baseline of integrated gradients, as a share of the side:
as wide as a large lesion, which is gone in it. On 14 diseased training photographs of the synthetic
set, Xception at 192 px, the share of the positive attribution on lesions (3 % of the area) is 0.26,
0.22, 0.19 and 0.16 with 0.02, 0.05, 0.1 and 0.2, and 0.09 with a black baseline."""


# Maps ---------------------------------------------------------------------------------------------


def cam(model: keras.Model, pixels: NDArray[Any], *, sign: int = 1, batch: int = BATCH) -> Heat:
    """Return class activation maps: the last feature map, weighed by the dense layer.

    Zhou et al., Learning deep features for discriminative localization, CVPR 2016. Negative
    evidence is kept; the mean of a map plus the bias of the dense layer is the logit.

    Args:
        model: A flat model that ends in global average pooling and one dense unit.
        pixels: Photographs, RGB in [0, 255], (n, size, size, 3).
        sign: +1 for the diseased class, −1 for the other.
        batch: Photographs explained at once.

    Returns:
        float32 (n, h, w), on the grid of the last feature map.

    Raises:
        Explained: The model ends otherwise, or is not flat.
    """
    kernel = tf.cast(_dense(model).kernel.value[:, 0], tf.float32) * _checked(sign)
    trace = probe(model, POOL, guided=False).features
    return _gather(lambda part: tf.tensordot(trace(part), kernel, 1), pixels, batch)


def grad_cam(
    model: keras.Model,
    pixels: NDArray[Any],
    layer: str = POOL,
    *,
    sign: int = 1,
    batch: int = BATCH,
) -> Heat:
    """Return Grad-CAM: a feature map, weighed by the mean gradient of the score, rectified.

    Selvaraju et al., Grad-CAM, ICCV 2017.

    Args:
        model: A flat model with a layer of global average pooling named `pool`.
        pixels: Photographs, RGB in [0, 255], (n, size, size, 3).
        layer: The layer whose output is the feature map; `pool` stands for what enters it.
        sign: +1 for the diseased class, −1 for the other.
        batch: Photographs explained at once.

    Returns:
        float32 (n, h, w) ≥ 0, on the grid of the feature map.

    Raises:
        Explained: The model is not flat, or has no such feature map.
    """
    gradient_of = probe(model, layer, guided=False).feature_gradient
    score = tf.constant(_checked(sign))

    return _gather(lambda part: _weigh(*gradient_of(part, score)), pixels, batch)


def guided_backpropagation(
    model: keras.Model, pixels: NDArray[Any], *, sign: int = 1, batch: int = BATCH
) -> Heat:
    """Return guided gradients: of the score by the pixels, only what is positive passing ReLUs.

    Springenberg et al., Striving for simplicity, ICLR 2015 (workshop).

    Args:
        model: A flat model with ReLUs and a layer of global average pooling named `pool`.
        pixels: Photographs, RGB in [0, 255], (n, size, size, 3).
        sign: +1 for the diseased class, −1 for the other.
        batch: Photographs explained at once.

    Returns:
        float32 (n, size, size, 3), logits per grey level, of either sign.

    Raises:
        Explained: The model is not flat, or has no ReLU.
    """
    gradients = probe(model, POOL, guided=True).gradients
    score = tf.constant(_checked(sign))
    return _gather(lambda part: gradients(part, score)[2], pixels, batch)


def guided_grad_cam(
    model: keras.Model, pixels: NDArray[Any], *, sign: int = 1, batch: int = BATCH
) -> Heat:
    """Return Guided Grad-CAM: guided gradients times Grad-CAM, enlarged to the photograph.

    Both come from one forward and one backward pass where no ReLU follows the last feature map,
    because the gradient that Grad-CAM needs has then passed none.

    Args, errors and shape are those of `guided_backpropagation`.
    """
    guided = probe(model, POOL, guided=True)
    plain = guided if guided.replaced_above == 0 else probe(model, POOL, guided=False)
    score = tf.constant(_checked(sign))

    def multiply(part: tf.Tensor) -> tf.Tensor:
        features, gradient, fine = guided.gradients(part, score)
        if plain is not guided:
            features, gradient = plain.feature_gradient(part, score)
        coarse = _weigh(features, gradient)[..., None]
        return fine * tf.image.resize(coarse, tf.shape(part)[1:3], method="bilinear")

    return _gather(multiply, pixels, batch)


def integrated_gradients(
    model: keras.Model,
    pixels: NDArray[Any],
    *,
    sign: int = 1,
    steps: int = STEPS,
    baseline: NDArray[Any] | None = None,
    batch: int = BATCH,
) -> Heat:
    """Return integrated gradients: how the score rises from a baseline to the photograph, by pixel.

    Sundararajan, Taly, Yan, Axiomatic attribution for deep networks, ICML 2017: the difference from
    the baseline times the mean gradient on the straight way from there, here by the midpoint
    rule. The values of a photograph sum to score(photograph) − score(baseline), but for an error of
    the rule that falls with the number of steps: for a trained Xception at 96 px it was 9 % of the
    difference with 16, 5 % with 32.

    The usual black baseline blames nothing that is dark: the difference is 0 there. Haemorrhages
    and microaneurysms are. The default is a strongly blurred copy of the photograph, in which
    lesions are gone (Sturmfels, Lundberg, Lee, Visualizing the impact of feature attribution
    baselines, Distill 2020). What is wider than the blur is in both and gets no blame.

    Args:
        model: A flat model with a layer of global average pooling named `pool`.
        pixels: Photographs, RGB in [0, 255], (n, size, size, 3).
        sign: +1 for the diseased class, −1 for the other.
        steps: Points on the way, ≥ 1.
        baseline: What pixels are compared with, in [0, 255], of a shape that broadcasts to that of
            `pixels`; `blurred(pixels)` by default.
        batch: Points explained at once, of whichever photographs.

    Returns:
        float32 (n, size, size, 3), in logits, of either sign.

    Raises:
        Explained: The model is not flat.
    """
    end = np.asarray(pixels, np.float32)
    start = blurred(end) if baseline is None else np.asarray(baseline, np.float32)
    way = end - start
    start = np.broadcast_to(start, end.shape)
    along = ((np.arange(steps, dtype=np.float32) + 0.5) / steps)[:, None, None, None]

    def point(which: Places, step: Places) -> tf.Tensor:
        return tf.convert_to_tensor(start[which] + along[step] * way[which])

    return way * _mean_gradient(model, point, end.shape, steps, sign, batch)


def smooth_grad(
    model: keras.Model,
    pixels: NDArray[Any],
    *,
    sign: int = 1,
    samples: int = SAMPLES,
    noise: float = NOISE,
    seed: int = 0,
    batch: int = BATCH,
) -> Heat:
    """Return SmoothGrad: the mean gradient of the score over noisy copies of a photograph.

    Smilkov, Thorat, Kim, Viégas, Wattenberg, SmoothGrad: removing noise by adding noise, 2017
    (arXiv 1706.03825). The noise is normal. All photographs get the same, so that a map does not
    depend on which others are explained.

    Args:
        model: A flat model with a layer of global average pooling named `pool`.
        pixels: Photographs, RGB in [0, 255], (n, size, size, 3).
        sign: +1 for the diseased class, −1 for the other.
        samples: Noisy copies, ≥ 1.
        noise: Standard deviation, as a share of the range of the photograph's values, ≥ 0.
        seed: Of the noise.
        batch: Copies explained at once, of whichever photographs.

    Returns:
        float32 (n, size, size, 3), logits per grey level, of either sign.

    Raises:
        Explained: The model is not flat.
    """
    clean = np.asarray(pixels, np.float32)
    deviation = noise * np.ptp(clean, axis=(1, 2, 3), keepdims=True)

    def copy(which: Places, sample: Places) -> tf.Tensor:
        shape = clean.shape[1:]
        drawn = [tf.random.stateless_normal(shape, (seed, one)) for one in sample.tolist()]
        return clean[which] + deviation[which] * tf.stack(drawn)

    return _mean_gradient(model, copy, clean.shape, samples, sign, batch)


def blurred(pixels: NDArray[Any]) -> Heat:
    """Return photographs, (n, size, size, 3), with what is narrower than `BLUR` of the side gone.

    The black around the retina stays as it is and does not run into it: within the retina the copy
    is the weighed mean of the retina's own pixels (normalised convolution, Knutsson and Westin,
    CVPR 1993). Else the rim would differ most from its copy, and be blamed.

    Returns:
        float32, blurred by a Gaussian; beyond the edges the photographs go on as they end.
    """
    soft = [_blur(np.asarray(one, np.float32), BLUR * pixels.shape[1]) for one in pixels]
    return np.asarray(soft, np.float32).reshape(pixels.shape)


def _blur(photograph: Heat, deviation: float) -> Heat:
    """Return one photograph blurred within its retina."""
    within = fields.retina(photograph)[..., None]
    weight, soft = (
        cv2.GaussianBlur(image, (0, 0), deviation, borderType=_EDGE)
        for image in (within.astype(np.float32), photograph * within)
    )
    weighed = soft / np.maximum(weight, _LEAST)[..., None]
    return np.asarray(np.where(within, weighed, photograph), np.float32)


def strength(gradients: Heat) -> Heat:
    """Return gradients by pixel (…, 3) as maps (…): the largest absolute value over the colours.

    Simonyan et al., Deep inside convolutional networks, ICLR 2014 (workshop).
    """
    return np.asarray(np.abs(gradients).max(axis=-1), dtype=np.float32)


# Arithmetic and checks ----------------------------------------------------------------------------


def _weigh(features: tf.Tensor, gradient: tf.Tensor) -> tf.Tensor:
    """Return Grad-CAM of (n, h, w, channels) and its gradient, (n, h, w)."""
    weights = tf.reduce_mean(gradient, axis=(1, 2))
    return tf.nn.relu(tf.einsum("nhwc,nc->nhw", features, weights))


def _gather(explain: Callable[[tf.Tensor], tf.Tensor], pixels: NDArray[Any], batch: int) -> Heat:
    """Return the maps of all photographs, explained in batches, the last one partial."""
    if len(pixels) == 0:
        # A network takes no empty batch: the shape of what there is none of is that of any other.
        return _gather(explain, np.zeros((1, *pixels.shape[1:]), np.uint8), batch)[:0]
    parts = [
        explain(tf.convert_to_tensor(pixels[start : start + batch], tf.float32)).numpy()
        for start in range(0, len(pixels), batch)
    ]
    return np.concatenate(parts).astype(np.float32, copy=False)


def _mean_gradient(
    model: keras.Model,
    point: Callable[[Places, Places], tf.Tensor],
    shape: tuple[int, ...],
    points: int,
    sign: int,
    batch: int,
) -> Heat:
    """Return the mean gradient of the score by the pixels, each photograph at several points.

    Photographs and points make one long row that is cut into full batches, so one photograph is
    explained as fast as many.

    Args:
        model: A flat model.
        point: Numbers of photographs and of points, each (batch,) → pixels, float32 (batch, …).
        shape: Of all photographs, (n, size, size, 3), and of the result.
        points: How many per photograph.
        sign: +1 for the diseased class, −1 for the other.
        batch: Gradients computed at once.
    """
    gradients = probe(model, POOL, guided=False).gradients
    score = tf.constant(_checked(sign))
    mean = np.zeros(shape, np.float32)
    row = np.arange(len(mean) * points)
    for start in range(0, len(row), batch):
        which, number = np.divmod(row[start : start + batch], points)
        found = gradients(point(which, number), score)[2].numpy()
        for photograph, gradient in zip(which, found, strict=True):
            mean[photograph] += gradient
    return mean / np.float32(points)


def _checked(sign: int) -> float:
    if sign not in (1, -1):
        raise ValueError(f"sign is +1 for the diseased class or −1 for the other, not {sign}")
    return float(sign)


def _dense(model: keras.Model) -> Any:
    """Return the dense layer of a head of global average pooling and one dense unit.

    Raises:
        Explained: The model ends otherwise.
    """
    check_flat(model, POOL)
    pool = model.get_layer(POOL)
    head = [one for one in above(model, POOL) if not isinstance(one, keras.layers.Dropout)]
    if not (
        isinstance(pool, keras.layers.GlobalAveragePooling2D)
        and len(head) == 1
        and isinstance(head[0], keras.layers.Dense)
        and head[0].activation is keras.activations.linear
    ):
        raise Explained(
            f"there is no class activation map of {model.name}",
            expected="global average pooling, dropout or not, and one dense layer without "
            "activation at the end",
            received=", ".join(type(one).__name__ for one in (pool, *head)),
            hint="use Grad-CAM, which explains any head",
        )
    return head[0]
