# Photographs and labels, and pretrained weights as files with origin and SHA-256.


rule draw_photographs:
    output:
        folder=directory("resources/{study}/synthetic/shard-{shard}"),
        labels="resources/{study}/synthetic/shard-{shard}.csv",
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


rule kaggle_labels:
    output:
        labels="resources/{study}/kaggle/labels.csv",
    log:
        "results/{study}/logs/kaggle_labels.log",
    benchmark:
        "results/{study}/benchmarks/kaggle_labels.tsv"
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=10,
    params:
        code=code("kaggle_labels"),
        labels=config["source"]["labels"],
        photographs=config["source"]["photographs"],
    message:
        "Look for the files of the competition"
    script:
        "../workflow_scripts/kaggle_labels.py"


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
