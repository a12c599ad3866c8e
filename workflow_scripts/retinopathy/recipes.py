"""The recipe that all runs of a study share: plain numbers, no deep-learning framework."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from retinopathy.registry import HEAD
from retinopathy.runs import Run


@dataclass(frozen=True)
class Recipe:
    """What all runs of a study share.

    Attributes:
        batch: Photographs per step, shared out where there are several devices.
        epochs: Passes over the training split at most, those of the head alone apart.
        patience: Epochs without a better validation AUC before the run stops.
        optimiser: `adam`, `adamw` (without weight decay) or `sgd` (momentum 0.9).
        clip: Largest global norm of the gradient.
        augment: Whether training photographs are flipped and turned.
        schedule: `constant`, or `cosine`: the rate falls to zero over the epochs.
        warmup: Epochs over which the rate rises to its value.
        head_epochs: Epochs of a first phase that trains the head alone.
        kernel_l2: L2 constant of the trained kernels below the head.
        class_weights: Whether classes are weighed by their inverse frequency.
    """

    batch: int
    epochs: int
    patience: int
    optimiser: str
    clip: float
    augment: bool
    schedule: str = "constant"
    warmup: int = 0
    head_epochs: int = 0
    kernel_l2: float = 0
    class_weights: bool = False

    def first_phase(self, run: Run) -> int:
        """Return how many epochs train the head alone, before the others.

        None where there is nothing below the head to wait for: it alone is trained, or what is
        below starts from scratch too.
        """
        whole = run.depth == HEAD or run.initialisation == "random_all"
        return 0 if whole else self.head_epochs

    def rate_at(self, rate: float, step: int, steps: int) -> float:
        """Return the learning rate of a step.

        The rate rises in equal parts over `warmup` epochs, its value being that of their last
        step; a cosine (Loshchilov and Hutter 2017, without restarts) leads from there to zero,
        which would be the rate of the step after the last. The first phase has the constant rate.

        Args:
            rate: The run's learning rate.
            step: Steps taken before, those of the first phase apart.
            steps: Steps per epoch.
        """
        rising, all_steps = self.warmup * steps, self.epochs * steps
        if step < rising:
            return rate * ((step + 1) / rising)
        if self.schedule == "constant":
            return rate
        return rate * (1 + math.cos(math.pi * (step - rising) / (all_steps - rising))) / 2

    def weights_of(self, labels: Sequence[int]) -> tuple[float, float]:
        """Return the weights of the classes in the training loss, such that their mean is 1.

        Args:
            labels: Of the training split; both classes are among them.
        """
        if not self.class_weights:
            return 1.0, 1.0
        positive = sum(labels)
        negative = len(labels) - positive
        return len(labels) / (2 * negative), len(labels) / (2 * positive)
