# What all rules share: the checked configuration, wildcards, and the hash of a script's code.
import sys
from functools import cache
from pathlib import Path

from snakemake.exceptions import WorkflowError

SCRIPTS = Path(workflow.basedir) / "workflow_scripts"
sys.path.insert(0, str(SCRIPTS))

from retinopathy import (
    archives,
    caching,
    configuration,
    kaggle,
    parts,
    provenance,
    sources,
    studies,
)
from retinopathy.errors import Explained
from retinopathy.runs import FEATURES, HOLDOUT, Run

# TensorFlow's notes would stand between the messages of the workflow; two of them are said at every
# import, whatever its log level.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
shell.prefix(
    "exec 2> >(grep --line-buffered -v 'oneDNN custom\\|absl::InitializeLog' >&2); "
)


try:
    configuration.check(
        config, Path(workflow.basedir) / "rules/schemas/config.schema.yaml"
    )
except Explained as error:
    raise WorkflowError(str(error))


wildcard_constraints:
    study=config["study"],
    task="|".join(config["tasks"]),
    set="|".join(config["external"]) or "none",
    network="[a-z][a-z0-9_]*",
    size=r"\d+",
    part=r"\d+",
    shard=r"\d+",
    seed=r"\d+",
    fold=rf"{HOLDOUT}|\d+",
    depth=r"[A-Za-z0-9_+]+",
    inputs="pixels|metadata|features",
    run=r".+/fold=[^/]+",
    initial=r"[^/]+/[^/]+/\d+/[^/]+",


ASSIGNMENT = {name: config["splits"][name] for name in ("train", "validation", "test")}


def code(script):
    """Return the hash of a script and of the library modules that it imports."""
    return provenance.code_hash(SCRIPTS / f"{script}.py")
