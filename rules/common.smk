# The few helpers that rules share: the check of the configuration, code hashes, and the paths that
# follow from a run's address.
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

SCRIPTS = Path(workflow.basedir) / "workflow_scripts"
sys.path.insert(0, str(SCRIPTS))

from retinopathy import configuration, parts, provenance, sources, studies
from retinopathy.errors import Explained
from retinopathy.runs import HOLDOUT, Run

# TensorFlow's notes would stand between the messages of the workflow; two of them are said at every
# import, whatever its log level.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
shell.prefix(
    "exec 2> >(grep --line-buffered -v 'oneDNN custom\\|absl::InitializeLog' >&2); "
)


wildcard_constraints:
    study=config.get("study", "[a-z0-9_]+"),
    task="[a-z][a-z0-9_]*",
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


try:
    configuration.check(
        config, Path(workflow.basedir) / "rules/schemas/config.schema.yaml"
    )
except Explained as error:
    raise WorkflowError(str(error))

ASSIGNMENT = {name: config["splits"][name] for name in ("train", "validation", "test")}


def code(script):
    """Return the hash of a script and of the library modules that it imports."""
    return provenance.code_hash(SCRIPTS / f"{script}.py")


def parts_of(split, fold):
    """Return the parts that make up a split of a fold."""
    return parts.roles(config["splits"]["parts"], ASSIGNMENT, fold)[split]


def records_of(task, size, split, fold):
    """Return the record files of a split."""
    return collect(
        "results/{study}/records/{task}/{size}/part-{part}/shard-{shard}.tfrecord",
        study=config["study"],
        task=task,
        size=size,
        part=parts_of(split, fold),
        shard=range(config["records"]["shards"]),
    )


def initial_of(run):
    """Return the folder of the weights that a run starts from."""
    return f"results/{config['study']}/initial/{run.initial}"


def training_inputs(split):
    """Return an input function: cached features of a split where the run has a frozen part."""

    def inputs(wildcards):
        run = Run.parse(wildcards.run)
        if run.has_frozen_part and config["training"]["feature_cache"]:
            return collect(
                "results/{study}/features/{initial}/{depth}/part-{part}.h5",
                study=config["study"],
                initial=run.initial,
                depth=run.depth,
                part=parts_of(split, run.fold),
            )
        return records_of(run.task, run.size, split, run.fold)

    return inputs


def runs_of(study, file):
    """Return one file of every run of a study, in the order of its cases."""
    return [
        f"results/{config['study']}/runs/{case.run.address}/{file}"
        for case in studies.cases(config, study)
    ]


def cases_of(study):
    """Return name and address of every case of a study: plain values, for a rule's parameters."""
    return [(case.name, case.run.address) for case in studies.cases(config, study)]
