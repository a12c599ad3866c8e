# Input functions: the files that follow from a run's address, a task or the source.


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


SHARED = studies.sharing(config)


def training_inputs(split):
    """Return an input function: cached features of a split where the run is to have them."""

    def inputs(wildcards):
        run = Run.parse(wildcards.run)
        if caching.is_cached(config, run, SHARED):
            return collect(
                "results/{study}/features/{initial}/{depth}{kept}/part-{part}.h5",
                study=config["study"],
                initial=run.initial,
                depth=run.depth,
                kept="" if run.features == FEATURES else f"={run.features}",
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


# --- the source and its photographs


SYNTHETIC_SHARDS = 2


def label_files(wildcards):
    """Return the label files of the source."""
    source = config["source"]
    if source["kind"] == "synthetic":
        return drawn_labels(wildcards)
    if source["kind"] == "kaggle" and (
        "test" in source["sets"] or not placed_labels(wildcards)
    ):
        return [f"resources/{wildcards.study}/kaggle/labels.csv"]
    return [source["labels"]]


def drawn_labels(wildcards):
    """Return the labels of the synthetic source, none for others."""
    return [f"{folder}.csv" for folder in synthetic_folders(wildcards)]


def drawn_masks(wildcards):
    """Return the tables of the masks that the synthetic source drew, none for others."""
    return [f"{folder}_masks.csv" for folder in synthetic_folders(wildcards)]


def placed_labels(_wildcards):
    """Return the labels of the competition's training set, where a person placed them."""
    return [path for path in [config["source"]["labels"]] if Path(path).is_file()]


def placed_solution(_wildcards):
    """Return the labels of the competition's test set, where a person placed them."""
    if "test" not in config["source"]["sets"]:
        return []
    path = f"{config['source']['photographs']}/{kaggle.SOLUTION}"
    return [path] if Path(path).is_file() else []


# Sets of the competition that are unpacked here. A folder that a person filled needs no archive,
# and one that was unpacked has a marker: a set stays what it is from one call to the next.
UNPACKED_SETS = [
    name
    for name in config["source"]["sets"]
    if config["source"]["kind"] == "kaggle"
    and not archives.is_placed(Path(config["source"]["photographs"], name))
]


def archives_of_set(wildcards):
    """Return the receipts of the parts of a set's archive."""
    return collect(
        "resources/{study}/kaggle/archives/{archive}.json",
        study=wildcards.study,
        archive=kaggle.ARCHIVES[wildcards.kaggle_set],
    )


def unpacked_sets(wildcards):
    """Return the receipts of what is unpacked here."""
    return collect(
        "resources/{study}/kaggle/{kaggle_set}.json",
        study=wildcards.study,
        kaggle_set=UNPACKED_SETS,
    )


def refused_entries(wildcards):
    """Return the tables of what was refused in unpacking."""
    return collect(
        "resources/{study}/kaggle/{kaggle_set}_refused.csv",
        study=wildcards.study,
        kaggle_set=UNPACKED_SETS,
    )


def synthetic_folders(wildcards):
    """Return the folders of the synthetic source, none for others."""
    if config["source"]["kind"] != "synthetic":
        return []
    return collect(
        "resources/{study}/synthetic/shard-{shard}",
        study=wildcards.study,
        shard=range(SYNTHETIC_SHARDS),
    )


def photograph_folders(wildcards):
    """Return the folders in which photographs are looked for."""
    if config["source"]["kind"] == "synthetic":
        return [f"{folder}/photographs" for folder in synthetic_folders(wildcards)]
    if config["source"]["kind"] == "kaggle":
        return collect(
            "{photographs}/{kaggle_set}",
            photographs=config["source"]["photographs"],
            kaggle_set=config["source"]["sets"],
        )
    return [config["source"]["photographs"]]


def placed_folders(wildcards):
    """Return the folders of photographs that no rule fills."""
    if config["source"]["kind"] == "synthetic":
        return []
    return [
        folder
        for folder in photograph_folders(wildcards)
        if Path(folder).name not in UNPACKED_SETS
    ]


def listing(wildcards):
    """Return what tells whether the photographs of a shard changed: names, sizes and times.

    Only of photographs that a person placed: others come with an input that tells it.
    """
    return "".join(
        listings_of(folder)[int(wildcards.shard)]
        for folder in placed_folders(wildcards)
    )


# Called when a parameter needs it: every job reads the rules again, and few need a listing.
@cache
def listings_of(folder):
    """Return what tells whether photographs changed, per shard."""
    return sources.listings(Path(folder), config["photographs"]["shards"])


# --- selection


SUBSETS = {
    name: task["subset"] for name, task in config["tasks"].items() if task["subset"]
}


# --- baselines


def baseline_records(split):
    """Return an input function: the records of a split of a baseline's fold."""

    def inputs(wildcards):
        return records_of(
            wildcards.task, config["baselines"]["size"], split, wildcards.fold
        )

    return inputs


def baseline_weights(task, network, file):
    """Return a file of the initial weights behind a network's features."""
    folder = f"results/{config['study']}/initial/{task}/{network}"
    return f"{folder}/{config['baselines']['size']}/imagenet/{file}"


def baseline_initial(file):
    """Return an input function: a file of the initial weights, for features only."""

    def inputs(wildcards):
        kind, _, network = wildcards.inputs.partition("/")
        if kind != "features":
            return []
        return [baseline_weights(wildcards.task, network, file)]

    return inputs


def baseline_manifest(wildcards):
    """Return the manifest, for metadata only."""
    return (
        [f"results/{config['study']}/manifest.csv"]
        if wildcards.inputs == "metadata"
        else []
    )


def baseline_settings(wildcards):
    """Return the settings of a baseline that its kind of inputs uses."""
    kind, _, network = wildcards.inputs.partition("/")
    own = {
        "pixels": {"side": config["baselines"]["pixels"]},
        "metadata": {},
        "features": {"network": network},
    }
    return {"kind": kind, "size": config["baselines"]["size"]} | own[kind]


def baseline_inputs():
    """Return the inputs of the baselines: features come once per network."""
    networks = [f"features/{network}" for network in config["baselines"]["networks"]]
    return [
        inputs
        for kind in config["baselines"]["inputs"]
        for inputs in (networks if kind == "features" else [kind])
    ]


def baseline_cases():
    """Return task, inputs and fold of every baseline."""
    return [
        (task, inputs, fold)
        for task in config["baselines"]["tasks"]
        for inputs in baseline_inputs()
        for fold in studies.folds(config)
    ]


def baseline_files(file):
    """Return one file of every baseline, in the order of the cases."""
    return [
        f"results/{config['study']}/baselines/{task}/{inputs}/fold={fold}/{file}"
        for task, inputs, fold in baseline_cases()
    ]


def baseline_starts():
    """Return task and network of all features."""
    if "features" not in config["baselines"]["inputs"]:
        return []
    return [
        (task, network)
        for task in config["baselines"]["tasks"]
        for network in config["baselines"]["networks"]
    ]


def baseline_origins():
    """Return where the weights behind the features come from, in the order of the starts."""
    return [
        baseline_weights(task, network, "origin.json")
        for task, network in baseline_starts()
    ]


# --- initial weights and features


def stand_in_records(wildcards):
    """Return the training records, where random weights may stand in for ImageNet's."""
    if config["weights"]["when_missing"] != "random":
        return []
    return records_of(wildcards.task, wildcards.size, "train", HOLDOUT)


def statistics_records(wildcards):
    """Return the training records from which a frozen random network's statistics come."""
    if wildcards.initialisation != "random_frozen":
        return []
    return records_of(wildcards.task, wildcards.size, "train", wildcards.fold)


def part_records(wildcards):
    """Return the record files of one part of the task in a feature file's address."""
    task, _, size, _ = wildcards.initial.split("/")
    return collect(
        "results/{study}/records/{task}/{size}/part-{part}/shard-{shard}.tfrecord",
        study=wildcards.study,
        task=task,
        size=size,
        part=wildcards.part,
        shard=range(config["records"]["shards"]),
    )


# --- scores


def run_test_records(wildcards):
    """Return the test records of a run."""
    run = Run.parse(wildcards.run)
    return records_of(run.task, run.size, "test", run.fold)


def run_external_records(wildcards):
    """Return the records of an external set for a run's task and size."""
    run = Run.parse(wildcards.run)
    return collect(
        "results/{study}/external/{set}/records/{task}/{size}/part-{part}/shard-{shard}.tfrecord",
        study=wildcards.study,
        set=wildcards.set,
        task=run.task,
        size=run.size,
        part=external.PART,
        shard=range(config["records"]["shards"]),
    )


# --- studies


def tested(wildcards):
    """Return the study whose runs a table of the test split holds."""
    return wildcards.name.removesuffix("_test")


def configured(name):
    """Return what the final runs use of what a study is about."""
    final, study = config["studies"]["networks"], config["studies"][name]
    cut = final["depths"].get(study["network"])
    if name == "depth":
        return {"depth": cut}
    if name == "sweep":
        # A rate that suits one depth says nothing of another, but that of the head is there.
        comparable = study["depth"] in (cut, registry.HEAD)
        rate = studies.rate(final, study["depth"]) if comparable else None
        return {"rate": rate, "l2": final["l2"]}
    return {"l2": final["l2"], "dropout": final["dropout"]}


# --- saliency


def shown_run(wildcards, size):
    """Return the final run whose maps are shown, at `size` or at the size of the wildcard."""
    return studies.shown(
        config, wildcards.task, wildcards.network, int(size or wildcards.size)
    )


def shown_file(file, size=None):
    """Return an input function: a file of the final run whose maps are shown."""

    def inputs(wildcards):
        address = shown_run(wildcards, size).address
        return f"results/{config['study']}/runs/{address}/{file}"

    return inputs


def shown_initial(size=None):
    """Return an input function: the initial weights of the final run whose maps are shown."""

    def inputs(wildcards):
        return f"{initial_of(shown_run(wildcards, size))}/backbone.weights.h5"

    return inputs


def shown_address(size=None):
    """Return an input function: the address of the final run whose maps are shown."""

    def address(wildcards):
        return shown_run(wildcards, size).address

    return address


SMALL, LARGE = sorted(config["studies"]["networks"]["sizes"])


# --- lesions


# The synthetic source brings a set of its own.
LESION_SETS = [
    *(["synthetic"] if config["source"]["kind"] == "synthetic" else []),
    *config["lesions"]["sets"],
]


def untrained(run):
    """Return the run of the same network from random weights, of which nothing is trained."""
    return replace(run, initialisation="random_frozen")


def lesion_run(wildcards):
    """Return the run whose maps are scored: a final run, or its untrained network."""
    run = shown_run(wildcards, None)
    return run if wildcards.weights == "trained" else untrained(run)


def lesion_weights(wildcards):
    """Return the weights that the scored run starts from."""
    return f"{initial_of(lesion_run(wildcards))}/backbone.weights.h5"


def lesion_trained(wildcards):
    """Return what training changed of these, nothing of an untrained network."""
    if wildcards.weights == "random":
        return []
    return [shown_file("trained.h5")(wildcards)]


def lesion_listing(wildcards):
    """Return what tells whether photographs of a set changed, or which of them have masks."""
    folders = config["lesions"]["sets"][wildcards.lesion_set]
    shown = "".join(listings_of(folders["photographs"]))
    return [shown, mask_files.listing(Path(folders["masks"]))]


def mask_folders(wildcards):
    """Return the folders of the masks of a set."""
    if wildcards.lesion_set == "synthetic":
        return [f"{folder}/masks" for folder in synthetic_folders(wildcards)]
    return [config["lesions"]["sets"][wildcards.lesion_set]["masks"]]


def mask_listing(wildcards):
    """Return what tells whether masks changed: of those only that a person placed."""
    if wildcards.lesion_set == "synthetic":
        return ""
    return "".join(
        text for folder in mask_folders(wildcards) for text in listings_of(folder)
    )


def mask_inputs(drawn):
    """Return an input function: what was drawn, where the set is the synthetic one."""

    def inputs(wildcards):
        return drawn(wildcards) if wildcards.lesion_set == "synthetic" else []

    return inputs


# Set, weights and final run of all maps that are scored.
LESION_CASES = [
    (name, weights, studies.shown(config, task, network, size))
    for name in LESION_SETS
    for task in config["studies"]["networks"]["tasks"]
    for network in config["studies"]["networks"]["networks"]
    for size in (SMALL, LARGE)
    for weights in ("trained", "random")
]


# --- sanity


# The final runs whose maps are checked.
SANITY_RUNS = [
    studies.shown(config, task, network, SMALL)
    for task in config["studies"]["networks"]["tasks"]
    for network in config["studies"]["networks"]["networks"]
]


def sanity_files(file):
    """Return what a check found of every final run that is checked."""
    return [
        f"results/{config['study']}/sanity/{run.task}/{run.network}-{run.size}/{file}"
        for run in SANITY_RUNS
    ]


def randomised_run(wildcards):
    """Return the run whose random weights replace those of the final run whose maps are shown.

    Its seed is of no other weights: a run that starts from random ones would else get its own back.
    """
    run = shown_run(wildcards, None)
    seed = max(config["seed"], *config["studies"]["networks"]["seeds"]) + 1
    return replace(run, initialisation="random_frozen", seed=seed)


def randomised_weights(wildcards):
    """Return the weights that replace those of the final run whose maps are shown."""
    return f"{initial_of(randomised_run(wildcards))}/backbone.weights.h5"


# --- the report


def final_figures(pattern, **more):
    """Return one figure per final task and network."""
    study = config["studies"]["networks"]
    return collect(
        pattern,
        study=config["study"],
        task=study["tasks"],
        network=study["networks"],
        **more,
    )


# --- prediction


PREDICTING = studies.shown(
    config,
    config["predict"]["task"],
    config["predict"]["network"],
    config["predict"]["size"],
)
NEW = Path(config["predict"]["photographs"])


# --- external sets


def external_predictions():
    """Return the final runs' predictions of every external set, set by set."""
    return [
        f"results/{config['study']}/external/{name}/runs/{case.run.address}/predictions.csv"
        for name in config["external"]
        for case in studies.cases(config, "networks")
    ]


def external_listing(wildcards):
    """Return what tells whether the photographs of an external set's shard changed."""
    folder = config["external"][wildcards.set]["photographs"]
    return listings_of(folder)[int(wildcards.shard)]


def external_levels(wildcards):
    """Return grade to level of an external set; grades as text."""
    levels = config["external"][wildcards.set]["levels"]
    return {str(grade): level for grade, level in levels.items()}
