# What all rules share: the checked configuration, wildcards, and the hash of a script's code.
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

from snakemake.exceptions import WorkflowError

SCRIPTS = Path(workflow.basedir) / "workflow_scripts"
sys.path.insert(0, str(SCRIPTS))

from retinopathy import (
    archives,
    caching,
    configuration,
    external,
    kaggle,
    mask_files,
    parts,
    provenance,
    registry,
    sources,
    studies,
)
from retinopathy.errors import Explained
from retinopathy.runs import FEATURES, HOLDOUT, LEAKING, Run

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


SELECTED_TASK = "|".join(config["tasks"])


wildcard_constraints:
    study=config["study"],
    task=f"({SELECTED_TASK})({LEAKING})?",
    set="|".join(config["external"]) or "none",
    lesion_set="|".join(["synthetic", *config["lesions"]["sets"]]),
    network="[a-z][a-z0-9_]*",
    size=r"\d+",
    part=r"\d+",
    shard=r"\d+",
    seed=r"\d+",
    fold=rf"{HOLDOUT}|\d+",
    depth=r"[A-Za-z0-9_+]+",
    inputs="pixels|metadata|features/[a-z][a-z0-9_]*",
    run=r".+/fold=[^/]+",
    initial=r"[^/]+/[^/]+/\d+/[^/]+",


# Tasks that something uses; others are there to be asked for by name.
TASKS = studies.tasks(config)
ASSIGNMENT = {name: config["splits"][name] for name in ("train", "validation", "test")}


def code(script):
    """Return the hash of a script and of the library modules that it imports."""
    return provenance.code_hash(SCRIPTS / f"{script}.py")
