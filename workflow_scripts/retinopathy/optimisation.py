"""One step of training: optimiser, penalties and clipping, on one device or on several."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from retinopathy import networks
from retinopathy.errors import Explained
from retinopathy.framework import keras, tf
from retinopathy.recipes import Recipe

Model = Any
"""A `keras.Model`."""

KERNELS = ("kernel", "depthwise_kernel", "pointwise_kernel")
"""Names of the variables that `kernel_l2` is about: no biases, nothing of `BatchNormalization`."""


class Steps:
    """Traced steps of a model, with the optimiser of one phase.

    A step takes a batch on the host. Where the strategy in scope has several devices, each works on
    its slice, and gradients are summed before they are clipped: the result is that of one device,
    but for rounding, for dropout's masks, and for statistics where `BatchNormalization` is trained.
    """

    def __init__(self, model: Model, recipe: Recipe, rate: float, *, head_alone: bool) -> None:
        """Build the optimiser; nothing is traced yet."""
        self.model = model
        self._recipe = recipe
        self._rate = math.nan  # A backup may bring a rate of its own: the first one is always set.
        head = model.get_layer(networks.LOGIT)
        self._variables = (head if head_alone else model).trainable_variables
        self._kernels = [
            variable
            for variable in model.trainable_variables
            if variable.name in KERNELS and variable is not head.kernel
        ]
        self._strategy = tf.distribute.get_strategy()
        self._optimiser = _optimiser(recipe.optimiser, rate)
        self._optimiser.build(self._variables)
        column = tf.TensorSpec((None,), tf.float32)
        tensors = [tf.TensorSpec(tensor.shape, tf.float32) for tensor in model.inputs]
        signature = [tensors, column, column]
        self.train = tf.function(self._shared_out(self._train), input_signature=signature)
        self.judge = tf.function(self._shared_out(self._judge), input_signature=signature)

    def set_rate(self, rate: float) -> None:
        """Set the learning rate of the next step."""
        if rate != self._rate:
            self._optimiser.learning_rate = self._rate = rate

    def state(self) -> dict[str, Any]:
        """Return all that the next step depends on, by name."""
        optimiser = {
            f"optimiser/{place}": variable
            for place, variable in enumerate(self._optimiser.variables)
        }
        return networks.learned(self.model, state=True) | optimiser

    def _shared_out(self, work: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that shares a batch out over the devices.

        It returns the loss with penalties, and the logits (n,), of the batch.
        """

        def run(
            tensors: list[tf.Tensor], labels: tf.Tensor, weights: tf.Tensor
        ) -> tuple[tf.Tensor, tf.Tensor]:
            losses, logits = self._strategy.run(work, (tensors, labels, weights))
            loss = self._strategy.reduce(tf.distribute.ReduceOp.SUM, losses, axis=None)
            together = tf.concat(self._strategy.experimental_local_results(logits), axis=0)
            return loss, together[: tf.size(labels)]

        return run

    def _train(
        self, tensors: list[tf.Tensor], labels: tf.Tensor, weights: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Take this device's part in a step."""
        count = tf.cast(tf.size(labels), tf.float32)
        tensors, labels, weights = self._own(tensors, labels, weights)
        with tf.GradientTape() as tape:
            logits = self._logits(tensors, training=True)
            loss = self._loss(logits, labels, weights, count)
            scaled = self._optimiser.scale_loss(loss)
        gradients = self._summed(tape.gradient(scaled, self._variables))
        # Scaled gradients are clipped at the scaled limit: the optimiser takes the scale off later.
        limit = self._optimiser.scale_loss(tf.constant(self._recipe.clip, tf.float32))
        clipped, _ = tf.clip_by_global_norm(gradients, limit)
        # The optimiser sums over devices once more.
        devices = self._strategy.num_replicas_in_sync
        shares = clipped if devices == 1 else [gradient / devices for gradient in clipped]
        self._optimiser.apply(shares, self._variables)
        return loss, logits

    def _judge(
        self, tensors: list[tf.Tensor], labels: tf.Tensor, weights: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Do this device's part of a batch as a finished model does it."""
        count = tf.cast(tf.size(labels), tf.float32)
        tensors, labels, weights = self._own(tensors, labels, weights)
        logits = self._logits(tensors, training=False)
        return self._loss(logits, labels, weights, count), logits

    def _logits(self, tensors: list[tf.Tensor], *, training: bool) -> tf.Tensor:
        """Return the logits; Keras wants the only input of a model bare."""
        given = tensors if len(tensors) > 1 else tensors[0]
        return self.model(given, training=training)[:, 0]

    def _own(self, *batch: Any) -> Any:
        """Return this device's slices of a batch; what fills up the last one weighs nothing."""
        devices = self._strategy.num_replicas_in_sync
        if devices == 1:
            return batch
        tensors, labels, weights = batch
        device = tf.distribute.get_replica_context().replica_id_in_sync_group
        with tf.device("CPU:0"):
            share = (tf.size(labels) + devices - 1) // devices
            wanted = tf.range(share) + share * device
            places = tf.minimum(wanted, tf.size(labels) - 1)
            real = tf.cast(wanted < tf.size(labels), tf.float32)
            return (
                [tf.gather(tensor, places) for tensor in tensors],
                tf.gather(labels, places),
                tf.gather(weights, places) * real,
            )

    def _loss(
        self, logits: tf.Tensor, labels: tf.Tensor, weights: tf.Tensor, count: tf.Tensor
    ) -> tf.Tensor:
        """Return this device's part of the loss of a batch of `count`."""
        entropies = tf.nn.sigmoid_cross_entropy_with_logits(labels, logits)
        penalty = self._penalty() / self._strategy.num_replicas_in_sync
        return tf.reduce_sum(weights * entropies) / count + penalty

    def _penalty(self) -> tf.Tensor:
        constant = self._recipe.kernel_l2
        kernels = self._kernels if constant else []
        squares = [constant * tf.reduce_sum(tf.square(kernel)) for kernel in kernels]
        return tf.add_n([tf.constant(0.0), *self.model.losses, *squares])

    def _summed(self, gradients: Sequence[tf.Tensor]) -> Sequence[tf.Tensor]:
        if self._strategy.num_replicas_in_sync == 1:
            return gradients
        context = tf.distribute.get_replica_context()
        summed: Sequence[tf.Tensor] = context.all_reduce(tf.distribute.ReduceOp.SUM, gradients)
        return summed


@contextmanager
def fitting(batch: int) -> Iterator[None]:
    """Explain a batch that does not fit into memory, and what a device cannot do.

    Raises:
        Explained: The block ran out of memory, or an operation is missing.
    """
    try:
        yield
    except tf.errors.ResourceExhaustedError as error:
        smaller = f"`training: batch: {batch // 2}`, or " if batch > 1 else ""
        raise Explained(
            f"a batch of {batch} does not fit into memory",
            expected="a batch that the device has room for",
            received=_cause(error),
            hint=f"try {smaller}a smaller size or a cut nearer to the head",
        ) from error
    except tf.errors.UnimplementedError as error:
        if "determinis" not in error.message:
            raise
        raise Explained(
            "the device lacks an operation",
            expected="every operation in a deterministic form",
            received=_cause(error),
            hint="try `training: deterministic: false`: runs are then alike, but not the same",
        ) from error


def _cause(error: tf.errors.OpError) -> str:
    """Return the line of a device's error that says what happened: that before its operation."""
    before, *_ = error.message.partition("[[{{node")
    return str(before.rstrip().rpartition("\n")[-1].strip())


def _optimiser(name: str, rate: float) -> Any:
    """Return an optimiser; with the scale that half precision needs, where that is in use."""
    optimiser = {
        "sgd": lambda: keras.optimizers.SGD(rate, momentum=0.9),
        "adamw": lambda: keras.optimizers.AdamW(rate, weight_decay=0.0),
        "adam": lambda: keras.optimizers.Adam(rate),
    }[name]()
    if keras.config.dtype_policy().compute_dtype == "float16":
        return keras.optimizers.LossScaleOptimizer(optimiser)
    return optimiser
