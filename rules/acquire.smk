# Photographs and labels, and pretrained weights as files with origin and SHA-256.


rule draw_photographs:
    output:
        folder=directory("resources/{study}/synthetic/shard-{shard}"),
        labels="resources/{study}/synthetic/shard-{shard}.csv",
        masks="resources/{study}/synthetic/shard-{shard}_masks.csv",
    log:
        "results/{study}/logs/draw_photographs/{shard}.log",
    benchmark:
        "results/{study}/benchmarks/draw_photographs/{shard}.tsv"
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        code=code("draw_photographs"),
        patients=config["source"]["patients"],
        level_shares=config["source"]["level_shares"],
        seed=config["seed"],
        shards=SYNTHETIC_SHARDS,
    message:
        "Draw synthetic photographs, shard {wildcards.shard}"
    script:
        "../workflow_scripts/draw_photographs.py"


# These ask Kaggle, which the nodes of a cluster may not reach: they run where Snakemake does.
localrules:
    kaggle_labels,
    kaggle_archive,


rule kaggle_labels:
    input:
        placed=placed_labels,
        solution=placed_solution,
    output:
        labels="resources/{study}/kaggle/labels.csv",
    log:
        "results/{study}/logs/kaggle_labels.log",
    benchmark:
        "results/{study}/benchmarks/kaggle_labels.tsv"
    conda:
        "../envs/kaggle.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=30,
    params:
        code=code("kaggle_labels"),
        photographs=config["source"]["photographs"],
        sets=config["source"]["sets"],
        image_column=config["source"]["image_column"],
        level_column=config["source"]["level_column"],
    message:
        "Fetch the labels of the competition"
    script:
        "../workflow_scripts/kaggle_labels.py"


rule kaggle_archive:
    """Fetch a part of an archive, 8 GB at most, or take the one that is there.

    The part itself is no output: Snakemake would delete it when the job fails, and a download goes
    on where it stopped. A download tries again by itself, so the job does not. The labels and the
    plan come first because they are small: what Kaggle refuses, and what the labels cannot give, is
    then said once, before anything large is fetched.
    """
    input:
        plan=ancient("results/{study}/plan.csv"),
    output:
        receipt="resources/{study}/kaggle/archives/{archive}.json",
    log:
        "results/{study}/logs/kaggle_archive/{archive}.log",
    benchmark:
        "results/{study}/benchmarks/kaggle_archive/{archive}.tsv"
    wildcard_constraints:
        archive=r"(train|test)\.zip\.\d{3}",
    conda:
        "../envs/kaggle.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=1440,
    params:
        code=code("kaggle_archive"),
        photographs=config["source"]["photographs"],
    message:
        "Fetch {wildcards.archive}"
    script:
        "../workflow_scripts/kaggle_archive.py"


rule kaggle_photographs:
    """Unpack the photographs of a set, straight from the parts of its archive.

    The disk holds the parts and the photographs: 70 GB at most for train, 106 GB for test. With
    `remove_archives` it holds all parts and what is unpacked of one of them: 43 GB at most for train,
    61 GB for test. Photographs are no outputs: an interrupted job goes on. Whether parts are removed
    changes no photograph, so it is no parameter: to change one's mind later reruns nothing.
    """
    input:
        archives=archives_of_set,
    output:
        receipt="resources/{study}/kaggle/{kaggle_set}.json",
        refused="resources/{study}/kaggle/{kaggle_set}_refused.csv",
    log:
        "results/{study}/logs/kaggle_photographs/{kaggle_set}.log",
    benchmark:
        "results/{study}/benchmarks/kaggle_photographs/{kaggle_set}.tsv"
    wildcard_constraints:
        kaggle_set="train|test",
    conda:
        "../envs/kaggle.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=480,
    params:
        code=code("kaggle_photographs"),
        photographs=config["source"]["photographs"],
    message:
        "Unpack the photographs of the {wildcards.kaggle_set} set"
    script:
        "../workflow_scripts/kaggle_photographs.py"


rule pretrained_weights:
    input:
        placed=lambda wildcards: config["weights"]["files"].get(wildcards.network, []),
    output:
        weights="resources/{study}/weights/{network}.weights.h5",
        origin="resources/{study}/weights/{network}.json",
    log:
        "results/{study}/logs/pretrained_weights/{network}.log",
    benchmark:
        "results/{study}/benchmarks/pretrained_weights/{network}.tsv"
    retries: 2
    conda:
        "../envs/tensorflow.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        code=code("pretrained_weights"),
        when_missing=config["weights"]["when_missing"],
    message:
        "Find the ImageNet weights of {wildcards.network}"
    script:
        "../workflow_scripts/pretrained_weights.py"
