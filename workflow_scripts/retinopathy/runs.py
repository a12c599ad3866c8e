"""A run is its parameters, and its parameters are its address.

Addresses are folders below `results/<study>/runs/`, such as
`referable/xception/224/imagenet/block14/rate=0.001_l2=0.0001_dropout=0.5/fold=holdout_seed=1`.
They hold no commas, at which Snakemake would cut them when it sends a job to a cluster. A run on
features that are kept in another type than usual says so, and so does one that is trained on fewer
photographs than there are: `…_dropout=0.5_photographs=500_features=float16/…`.
Everything else that defines a run (batch size, epochs, optimiser) is the same for all runs of a
study and stands in the configuration.
"""

import re
from dataclasses import dataclass
from typing import Any

from retinopathy.errors import Explained
from retinopathy.registry import ALL, NORMALISATION

INITIALISATIONS = {
    "imagenet": "imagenet",
    "random_frozen": "random, frozen features",
    "random_all": "random, all",
}
"""Name in addresses and configuration → name in tables."""

FEATURES = "float32"
"""The usual type of cached features, of which addresses do not speak."""

HOLDOUT = "holdout"
"""The fold of a run that uses the splits of the configuration rather than cross-validation."""

LEAKING = "_leaking"
"""What the name of a task ends in whose parts ignore patients: a control."""

_ADDRESS = re.compile(
    r"(?P<task>[a-z0-9_]+)/(?P<network>[a-z0-9_]+)/(?P<size>\d+)/(?P<initialisation>[a-z_]+)"
    r"/(?P<depth>[A-Za-z0-9_+]+)"
    r"/rate=(?P<rate>[-+.0-9e]+)_l2=(?P<l2>[-+.0-9e]+)_dropout=(?P<dropout>[-+.0-9e]+)"
    r"(_photographs=(?P<photographs>[1-9]\d*))?(_features=(?P<features>float16))?"
    rf"/fold=(?P<fold>{HOLDOUT}|\d+)_seed=(?P<seed>\d+)"
)


@dataclass(frozen=True, order=True)
class Run:
    """One trained model.

    Attributes:
        task: Name of a task of the configuration; with `LEAKING` behind it, of its control.
        network: Name in the registry of networks.
        size: Side of the square input, pixels.
        initialisation: One of `INITIALISATIONS`.
        depth: The cut from which layers are trained: `head`, a block, `block+k`, or `all`; or `bn`.
        rate: Learning rate, > 0.
        l2: L2 constant of the dense layer, ≥ 0.
        dropout: Share of pooled features dropped in training, in [0, 1).
        fold: `holdout`, or the number of the part that is the test part, as text.
        seed: Governs data order, augmentation, initialisation and dropout.
        features: Type of the cached features that it is trained on, `float32` or `float16`.
        photographs: How many photographs of the training split it is trained on; 0 for all.
    """

    task: str
    network: str
    size: int
    initialisation: str
    depth: str
    rate: float
    l2: float
    dropout: float
    fold: str
    seed: int
    features: str = FEATURES
    photographs: int = 0

    @property
    def address(self) -> str:
        """The run's folder below `results/<study>/runs/`."""
        photographs = f"_photographs={self.photographs}" if self.photographs else ""
        features = "" if self.features == FEATURES else f"_features={self.features}"
        return (
            f"{self.task}/{self.network}/{self.size}/{self.initialisation}/{self.depth}"
            f"/rate={self.rate:.15g}_l2={self.l2:.15g}_dropout={self.dropout:.15g}"
            f"{photographs}{features}/fold={self.fold}_seed={self.seed}"
        )

    @classmethod
    def parse(cls, address: str) -> "Run":
        """Return the run at `address`.

        Raises:
            Explained: `address` is not of the form that `address` has.
        """
        match = _ADDRESS.fullmatch(address)
        if match is None:
            raise Explained(
                "not the address of a run",
                expected="task/network/size/initialisation/depth/"
                "rate=…_l2=…_dropout=…/fold=…_seed=…",
                received=address,
                hint="ask for a run that `snakemake --summary` lists",
            )
        parts: dict[str, Any] = match.groupdict()
        return cls(
            **parts
            | {name: int(parts[name]) for name in ("size", "seed")}
            | {name: float(parts[name]) for name in ("rate", "l2", "dropout")}
            | {"features": parts["features"] or FEATURES}
            | {"photographs": int(parts["photographs"] or 0)}
        )

    @property
    def initial(self) -> str:
        """Address of the initial weights: shared by runs that start from the same ones.

        ImageNet weights do not depend on the fold; random ones do, because their normalisation
        statistics are estimated on the fold's training part: on all of it, also for a run that is
        trained on fewer photographs.
        """
        stem = f"{self.task}/{self.network}/{self.size}/{self.initialisation}"
        if self.initialisation == "imagenet":
            return stem
        return f"{stem}-fold={self.fold}_seed={self.seed}"

    @property
    def leaks(self) -> bool:
        """Whether patients may be in several splits of the run: it is a control."""
        return self.task.endswith(LEAKING)

    @property
    def selection(self) -> str:
        """The task of the configuration that the run's photographs were selected for."""
        return self.task.removesuffix(LEAKING)

    @property
    def has_frozen_part(self) -> bool:
        """Whether something below the run's cut stays as it is, and can be computed once."""
        return self.depth not in (ALL, NORMALISATION) and self.initialisation != "random_all"
