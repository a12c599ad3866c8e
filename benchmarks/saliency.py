"""Photographs a second that are explained, beside tf-keras-vis and beside the network's own passes.

make benchmark NAME=saliency [WEIGHTS=FILE PHOTOGRAPHS=FOLDER]

Xception of 224 pixels on two threads, one photograph at a time and in batches, in one process with
the same model and the same TensorFlow. Weights are random unless a `.weights.h5` file of the
network without its top is given, and photographs are noise unless a folder is; neither decides the
speed. The score is the logit, and the feature map is what enters global average pooling.

`tf-keras-vis` 0.8.7 makes Grad-CAM with `Gradcam`; CAM with the same without its rectifier, to
which CAM is equal but for a factor where one dense layer follows the pooling; and Guided Grad-CAM
as the product of `Gradcam` and of `Saliency` on a copy with `GuidedBackpropagation`. Its objects
are made once and used again and again. Its maps stay on their grid, as ours do, and are enlarged by
the same function, which is faster than its own.

`forward` is one pass of the network as a plain `tf.function`, and `forward and backward` one with
the gradient of the logit by the pixels: no CAM can be faster than the former, and no Guided
Grad-CAM than the latter. Everything is called once before it is measured, so that tracing and the
building of copies do not count; a value is the best of a few alternating rounds. Agreement is the
correlation of both libraries' maps over photographs and pixels.

Expect three times as many photographs as with tf-keras-vis or more, maps that agree, and no more
than a tenth less than the network's own passes allow. tf-keras-vis calls the network layer by
layer, where a traced graph joins layers, and passes forward twice for Guided Grad-CAM. xplique
2.0.2, which does trace, wants an older TensorFlow, SciPy and scikit-learn than the workflow; made
to run beside it all the same, its Grad-CAM was as fast as ours and its Guided Grad-CAM took 1.5
times as long.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parents[1] / "workflow_scripts"))

import numpy as np
from numpy.typing import NDArray
from side_by_side import least, of_wall, write
from tf_keras_vis.gradcam import Gradcam
from tf_keras_vis.saliency import Saliency
from tf_keras_vis.utils.model_modifiers import GuidedBackpropagation

from retinopathy import devices, networks, photographs, saliency, sources
from retinopathy.framework import keras, tf

SIZE = 224
THREADS = 2
BATCHES = (1, 8, 16)
COUNT = 16
OURS, THEIRS = "project", "tf-keras-vis"

Pixels = NDArray[np.float32]
Explain = Callable[[Pixels], NDArray[np.float32]]


def given() -> Pixels:
    """Return the photographs."""
    folder = os.environ.get("PHOTOGRAPHS")
    if folder is None:
        noise = np.random.default_rng(1).integers(0, 256, (COUNT, SIZE, SIZE, 3))
        return noise.astype(np.float32)
    paths = sources.list_photographs(Path(folder))[:COUNT]
    seen = [photographs.find_and_prepare(path.read_bytes(), SIZE, "none")[1] for path in paths]
    return np.stack(seen).astype(np.float32)


def built() -> keras.Model:
    """Return the network."""
    model = networks.build("xception", SIZE, dropout=0.5, l2=0.0, seed=1)
    if "WEIGHTS" in os.environ:
        networks.load_backbone(model, Path(os.environ["WEIGHTS"]))
    return model


def ours(model: keras.Model) -> dict[str, Explain]:
    """Return the project's methods, by name."""
    return {
        "CAM": lambda part: saliency.cam(model, part, batch=len(part)),
        "Grad-CAM": lambda part: saliency.grad_cam(model, part, batch=len(part)),
        "Guided Grad-CAM": lambda part: saliency.guided_grad_cam(model, part, batch=len(part)),
    }


def theirs(model: keras.Model) -> dict[str, Explain]:
    """Return the same methods of tf-keras-vis."""
    names = [layer.name for layer in model.layers]
    last = names[names.index(networks.POOL) - 1]
    coarse, fine = Gradcam(model), Saliency(model, GuidedBackpropagation())
    asked = {"penultimate_layer": last, "seek_penultimate_conv_layer": False}
    raw = {"expand_cam": False, "normalize_cam": False}

    def logit(output: tf.Tensor) -> tf.Tensor:
        return output[:, 0]

    def grad_cam(part: Pixels) -> tf.Tensor:
        return coarse(logit, part, **asked, **raw)

    def guided_grad_cam(part: Pixels) -> tf.Tensor:
        gradients = fine(logit, part, keepdims=True, gradient_modifier=None, normalize_map=False)
        return gradients * tf.image.resize(grad_cam(part)[..., None], (SIZE, SIZE))

    return {
        "CAM": lambda part: coarse(
            logit, part, **asked, **raw, activation_modifier=lambda cam: cam
        ),
        "Grad-CAM": lambda part: grad_cam(part).numpy(),
        "Guided Grad-CAM": lambda part: guided_grad_cam(part).numpy(),
    }


def passes(model: keras.Model) -> dict[str, Explain]:
    """Return the network's own passes, as they are without any method."""

    @tf.function(reduce_retracing=True)
    def forward(part: tf.Tensor) -> tf.Tensor:
        return model(part, training=False)

    @tf.function(reduce_retracing=True)
    def backward(part: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(part)
            logits = model(part, training=False)
        return tape.gradient(logits, part)

    return {
        "forward": lambda part: forward(tf.constant(part)).numpy(),
        "forward and backward": lambda part: backward(tf.constant(part)).numpy(),
    }


def speeds(pixels: Pixels, batch: int, variants: dict[str, Explain]) -> dict[str, float]:
    """Return photographs a second of each variant, in batches."""
    parts = [pixels[start : start + batch] for start in range(0, len(pixels), batch)]
    for explain in variants.values():
        explain(parts[0])
    spent = least(
        {
            name: of_wall(lambda explain=explain: [explain(part) for part in parts])
            for name, explain in variants.items()
        }
    )
    return {name: len(pixels) / seconds for name, seconds in spent.items()}


def main() -> None:
    """Compare the maps, then measure."""
    devices.prepare(THREADS)
    pixels, model = given(), built()
    libraries, floors = {OURS: ours(model), THEIRS: theirs(model)}, passes(model)
    rows = []
    for method in libraries[OURS]:
        maps = [methods[method](pixels[:8]).ravel() for methods in libraries.values()]
        found = float(np.corrcoef(*maps)[0, 1])
        rows.append((method, f"{OURS} and {THEIRS}", found, "correlation"))
        floor = "forward and backward" if "Guided" in method else "forward"
        for batch in BATCHES:
            case = f"{method}, {'one at a time' if batch == 1 else f'batches of {batch}'}"
            variants = {name: methods[method] for name, methods in libraries.items()}
            measured = speeds(pixels, batch, variants | {floor: floors[floor]})
            rows += [(case, name, value, "photographs/s") for name, value in measured.items()]
            print(*rows[-3:], flush=True)
    write("saliency", rows, THEIRS)


if __name__ == "__main__":
    main()
