"""Copies of a model's graph that show its feature map and give its gradients, guided or plain.

A copy reads the model's own variables, so it needs no weights of its own and shows weights that
change later. It is never saved (an activation with a gradient of its own cannot be), and the model
stays as it was: no layer of it is called again.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from retinopathy.errors import Explained
from retinopathy.framework import keras, tf

POOL = "pool"
"""Name of the layer of global average pooling; what enters it is the last feature map."""

_NO_CEILING = float("inf")
_CEILINGS = {keras.activations.relu: _NO_CEILING, keras.activations.relu6: 6.0}
"""Activation functions that rectify → the value above which they are flat."""


@dataclass(frozen=True)
class Probe:
    """Traced functions of a copy of a model's graph.

    Attributes:
        features: Pixels → feature map.
        feature_gradient: Pixels and sign → feature map, and the gradient of the score by it; the
            backward pass goes no deeper.
        gradients: Pixels and sign → feature map, and the gradients of the score by the feature
            map and by the pixels, from one backward pass. All float32.
        replaced_above: How many of the replaced activations follow the feature map.
    """

    features: Callable[[tf.Tensor], tf.Tensor]
    feature_gradient: Callable[[tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]
    gradients: Callable[[tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor, tf.Tensor]]
    replaced_above: int


_PROBES: WeakKeyDictionary[keras.Model, dict[tuple[str, bool], Probe]] = WeakKeyDictionary()
"""Copying and tracing take seconds: done once per model, layer and kind, while the model lives."""


def probe(model: keras.Model, layer: str, *, guided: bool) -> Probe:
    """Return the traced functions of `model`, made when first asked for."""
    known = _PROBES.setdefault(model, {})
    if (layer, guided) not in known:
        known[layer, guided] = _trace(model, layer, guided=guided)
    return known[layer, guided]


def count_rectifiers(model: keras.Model) -> int:
    """Return how many activations of `model` its guided copy replaces."""
    return sum(_ceiling(layer) is not None for layer in model.layers)


def _trace(model: keras.Model, layer: str, *, guided: bool) -> Probe:
    """Copy the graph of `model` and wrap it in traced functions that read its variables."""
    check_flat(model, layer)
    copy = _copy(model, layer, guided=guided)
    trainable = _counterparts(copy, model, copy.trainable_variables)
    fixed = _counterparts(copy, model, copy.non_trainable_variables)
    signature = tf.TensorSpec([None, *model.input_shape[1:]], tf.float32)
    scalar = tf.TensorSpec([], tf.float32)

    def run(pixels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        outputs, _ = copy.stateless_call(
            [variable.value for variable in trainable],
            [variable.value for variable in fixed],
            pixels,
            training=False,
        )
        features, logit = outputs
        return features, logit

    def features(pixels: tf.Tensor) -> tf.Tensor:
        return tf.cast(run(pixels)[0], tf.float32)

    def taped(pixels: tf.Tensor, sign: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.GradientTape]:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(pixels)
            shown, logit = run(pixels)
            score = sign * tf.reduce_sum(tf.cast(logit, tf.float32))
        return shown, score, tape

    def feature_gradient(pixels: tf.Tensor, sign: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        shown, score, tape = taped(pixels, sign)
        return tf.cast(shown, tf.float32), tf.cast(tape.gradient(score, shown), tf.float32)

    def gradients(pixels: tf.Tensor, sign: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        shown, score, tape = taped(pixels, sign)
        by_features, by_pixels = tape.gradient(score, [shown, pixels])
        return tf.cast(shown, tf.float32), tf.cast(by_features, tf.float32), by_pixels

    following = above(model, layer) if guided else []
    return Probe(
        tf.function(features, input_signature=[signature]),
        tf.function(feature_gradient, input_signature=[signature, scalar]),
        tf.function(gradients, input_signature=[signature, scalar]),
        sum(_ceiling(one) is not None for one in following),
    )


def _copy(model: keras.Model, layer: str, *, guided: bool) -> keras.Model:
    """Return a copy of the graph from float32 pixels to the feature map and the logit.

    Raises:
        Explained: A guided copy was asked for and there is no ReLU to replace.
    """
    if guided and count_rectifiers(model) == 0:
        raise Explained(
            f"guided backpropagation means nothing for {model.name}",
            expected="a network with ReLUs",
            received="none that could be replaced",
            hint="use CAM or Grad-CAM",
        )
    shown = {}

    def clone(one: Any) -> Any:
        ceiling = _ceiling(one) if guided else None
        return _plain(one) if ceiling is None else _guided(one, ceiling)

    def call(one: Any, *inputs: Any, **options: Any) -> Any:
        outputs = one(*inputs, **options)
        if one.name == layer:
            shown[layer] = inputs[0] if layer == POOL else outputs
        return outputs

    # Whatever the model takes, the copy takes floats: whole numbers have no gradient.
    pixels = keras.Input(model.input_shape[1:], dtype="float32", name=model.input.name)
    whole = keras.models.clone_model(
        model, input_tensors=pixels, clone_function=clone, call_function=call
    )
    return keras.Model(whole.input, [shown[layer], whole.output])


def _plain(layer: Any) -> Any:
    return type(layer).from_config(layer.get_config())


def _guided(layer: Any, ceiling: float) -> Any:
    """Return a copy of a layer whose rectifier passes gradients only where they are positive."""
    guided = _guided_relu(ceiling)
    if isinstance(layer, keras.layers.ReLU):
        return keras.layers.Activation(guided, name=layer.name, dtype=layer.dtype_policy)
    copy = _plain(layer)
    copy.activation = guided
    return copy


def _guided_relu(ceiling: float) -> Callable[[tf.Tensor], tf.Tensor]:
    """Return min(max(x, 0), ceiling) with a gradient that is positive or 0."""

    def relu(x: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
        def backward(gradient: tf.Tensor) -> tf.Tensor:
            return tf.where((gradient > 0) & (x > 0) & (x < ceiling), gradient, 0)

        rectified = tf.nn.relu(x)
        return (rectified if ceiling == _NO_CEILING else tf.minimum(rectified, ceiling)), backward

    guided: Callable[[tf.Tensor], tf.Tensor] = tf.custom_gradient(relu)
    return guided


def _ceiling(layer: Any) -> float | None:
    """Return the value above which the layer's rectifier is flat; None where it has none.

    A ReLU that leaks or starts elsewhere than at 0 is no rectifier in the sense of the method.
    """
    if isinstance(layer, keras.layers.ReLU):
        if layer.negative_slope or layer.threshold:
            return None
        return _NO_CEILING if layer.max_value is None else float(layer.max_value)
    return _CEILINGS.get(getattr(layer, "activation", None))


def _counterparts(copy: keras.Model, model: keras.Model, variables: Iterable[Any]) -> list[Any]:
    """Return the variables of `model` in whose place the `variables` of the copy stand."""
    counterpart = {
        id(mine): own
        for layer in copy.layers
        if layer.variables
        for mine, own in zip(layer.variables, model.get_layer(layer.name).variables, strict=True)
    }
    return [counterpart[id(variable)] for variable in variables]


def above(model: keras.Model, layer: str) -> list[Any]:
    """Return the layers after `layer`, in the order of the model, `pool` itself left out."""
    names = [one.name for one in model.layers]
    return list(model.layers[names.index(layer) + 1 :])


def check_flat(model: keras.Model, layer: str) -> None:
    """Raise unless `model` is flat, has the `layer`, and its output is one logit.

    Raises:
        Explained: With what was found instead.
    """
    nested = [one.name for one in model.layers if isinstance(one, keras.Model)]
    names = [one.name for one in model.layers]
    if nested or layer not in names or tuple(model.output_shape[1:]) != (1,):
        raise Explained(
            f"{model.name} cannot be explained",
            expected=f"a flat model with a layer {layer} and one logit",
            received=f"models within it: {nested or 'none'}; last layers: {names[-4:]}; "
            f"output {model.output_shape}",
            hint="build the backbone on the input tensor instead of calling it as a layer",
        )
