"""Single steps: penalties, clipping, class weights, memory, half precision, two devices."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from tests import small_runs

from retinopathy import devices, models, networks, optimisation, predictions
from retinopathy.errors import Explained
from retinopathy.optimisation import Steps
from retinopathy.recipes import Recipe

pytestmark = pytest.mark.networks

RECIPE = Recipe(4, 3, 9, "sgd", 1e9, augment=False)


def model() -> keras.Model:
    """One convolution with normalisation, and the head of a network on top."""
    maps = keras.Input((4, 4, 3))
    deep = keras.layers.SeparableConv2D(2, 3, name="deep")(maps)
    deep = keras.layers.BatchNormalization(name="normal")(deep)
    deep = keras.layers.GlobalAveragePooling2D()(deep)
    dense = keras.layers.Dense(
        1, name=networks.LOGIT, kernel_regularizer=keras.regularizers.L2(0.5), dtype="float32"
    )
    return keras.Model([maps], dense(deep))


def batch(n: int = 4) -> tuple[list[tf.Tensor], tf.Tensor, tf.Tensor]:
    drawn = np.random.default_rng(1)
    maps = tf.constant(drawn.normal(size=(n, 4, 4, 3)), tf.float32)
    return [maps], tf.constant(drawn.integers(2, size=n), tf.float32), tf.ones(n)


def test_penalties_are_of_kernels_alone() -> None:
    built = model()
    plain, penalised = (
        Steps(built, replace(RECIPE, kernel_l2=constant), 0.1, head_alone=False)
        for constant in (0, 0.25)
    )
    layer = built.get_layer("deep")
    squares = sum(
        np.square(kernel.numpy()).sum()
        for kernel in (layer.depthwise_kernel, layer.pointwise_kernel)
    )
    difference = penalised.judge(*batch())[0] - plain.judge(*batch())[0]
    np.testing.assert_allclose(difference, 0.25 * squares, rtol=1e-5)
    alone = Steps(built, replace(RECIPE, kernel_l2=0.25), 0.1, head_alone=True)
    assert alone.judge(*batch())[0] == penalised.judge(*batch())[0]
    head = np.square(built.get_layer(networks.LOGIT).kernel.numpy()).sum()
    logits = built(batch()[0])[:, 0]
    entropy = tf.nn.sigmoid_cross_entropy_with_logits(batch()[1], logits)
    expected = tf.reduce_mean(entropy) + 0.5 * head
    np.testing.assert_allclose(plain.judge(*batch())[0], expected, rtol=1e-5)


def test_the_gradient_is_no_longer_than_its_limit() -> None:
    built = model()
    steps = Steps(built, replace(RECIPE, clip=0.01), 1.0, head_alone=False)
    before = [variable.numpy().copy() for variable in built.trainable_variables]
    steps.train(*batch())
    moved = [new.numpy() - old for new, old in zip(built.trainable_variables, before, strict=True)]
    assert np.sqrt(sum(np.square(part).sum() for part in moved)) == pytest.approx(0.01, rel=1e-4)


def test_the_head_alone_moves_in_its_phase() -> None:
    built = model()
    before = {variable.path: variable.numpy().copy() for variable in built.trainable_variables}
    Steps(built, RECIPE, 0.1, head_alone=True).train(*batch())
    for variable in built.trainable_variables:
        same = np.array_equal(variable.numpy(), before[variable.path])
        assert same != variable.path.startswith(networks.LOGIT)


def test_a_weight_counts_a_photograph_so_many_times() -> None:
    tensors, labels, _ = batch(3)
    twice = ([tf.gather(tensors[0], [0, 1, 2, 2])], tf.gather(labels, [0, 1, 2, 2]), tf.ones(4))
    steps = Steps(model(), RECIPE, 0.1, head_alone=False)
    weighed = steps.judge(tensors, labels, tf.constant([0.75, 0.75, 1.5]))
    np.testing.assert_allclose(weighed[0], steps.judge(*twice)[0], rtol=1e-6)


def test_the_rate_can_be_set() -> None:
    built = model()
    steps = Steps(built, RECIPE, 0.1, head_alone=False)
    before = [variable.numpy().copy() for variable in built.trainable_variables]
    steps.set_rate(0.0)
    steps.train(*batch())
    for variable, old in zip(built.trainable_variables, before, strict=True):
        assert np.array_equal(variable.numpy(), old)


@pytest.mark.usefixtures("float16")
def test_half_precision_scales_the_loss_and_keeps_variables_whole() -> None:
    built = model()
    assert built.get_layer("deep").compute_dtype == "float16"
    assert {variable.dtype for variable in built.trainable_variables} == {"float32"}
    steps = Steps(built, replace(RECIPE, clip=0.01), 1.0, head_alone=False)
    before = [variable.numpy().copy() for variable in built.trainable_variables]
    steps.train(*batch())
    moved = [new.numpy() - old for new, old in zip(built.trainable_variables, before, strict=True)]
    assert np.sqrt(sum(np.square(part).sum() for part in moved)) == pytest.approx(0.01, rel=1e-2)
    assert 2.0**15 in [np.max(variable.numpy()) for variable in steps.state().values()]


@pytest.mark.usefixtures("float16")
def test_a_run_in_half_precision_predicts_as_scoring_does(tmp_path: Path) -> None:
    run = replace(small_runs.RUN, depth="block14", rate=1e-4)
    with devices.full_precision():  # In which initial weights and features are made.
        small_runs.prepare(tmp_path)
        small_runs.write_features(tmp_path, run, augment=False)
    recipe = replace(small_runs.RECIPE, epochs=1)
    result = small_runs.trained(tmp_path, run, recipe, scratch=tmp_path)
    assert devices.circumstances()["precision"] == "mixed_float16"
    models.save_trained(result.model, tmp_path / "trained.h5")
    with devices.full_precision():
        assert devices.circumstances()["precision"] == "float32"
        files = (tmp_path / small_runs.WEIGHTS, tmp_path / "trained.h5")
        model = models.load_trained(run, *files)
        records = [tmp_path / "validation.tfrecord"]
        found = predictions.predict(model, records, run.size, "validation")
    np.testing.assert_allclose(found["logit"], result.predictions["logit"], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("size", "hint"), [(32, "batch: 16"), (1, "try a smaller size")])
def test_a_batch_that_does_not_fit_ends_with_the_size_to_try(size: int, hint: str) -> None:
    too_much = tf.function(lambda rows: tf.reduce_sum(tf.fill([rows, 1 << 30], 1.0) * 2))
    received = r"OOM when allocating tensor with shape\[4096"
    with (
        pytest.raises(Explained, match=f"{received}(.|\n)*{hint}"),
        optimisation.fitting(size),
    ):
        too_much(tf.constant(1 << 12))


def test_an_operation_without_a_deterministic_form_is_told_from_others() -> None:
    with pytest.raises(Explained, match="deterministic: false"), optimisation.fitting(8):
        raise tf.errors.UnimplementedError(None, None, "no deterministic GPU implementation")
    with pytest.raises(tf.errors.UnimplementedError), optimisation.fitting(8):
        raise tf.errors.UnimplementedError(None, None, "DNN library is not found.")


def test_two_devices_do_what_one_does(root: Path, tmp_path: Path) -> None:
    small_runs.prepare(tmp_path)
    small_runs.write_features(tmp_path, replace(small_runs.RUN, depth="block14"), augment=False)
    done = subprocess.run(
        [sys.executable, "-m", "tests.two_devices", str(tmp_path)],
        cwd=root,
        env={"PYTHONPATH": f"{root}:{root / 'workflow_scripts'}"},
        check=True,
        capture_output=True,
    )
    found = json.loads(done.stdout)
    one, two = found["one"], found["two"]
    assert (one["devices"], two["devices"]) == (1, 2)
    np.testing.assert_allclose(one["loss"], two["loss"], rtol=1e-4)
    np.testing.assert_allclose(one["logits"], two["logits"], rtol=1e-4)
    for run in (one, two):
        np.testing.assert_allclose(run["resumed"], run["logits"], rtol=1e-6)
