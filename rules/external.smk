# External sets: the same manifest and records for further sets, and what they share with the study.


rule external_labels:
    input:
        labels=lambda wildcards: config["external"][wildcards.set]["labels"],
    output:
        labels="results/{study}/external/{set}/labels.csv",
    log:
        "results/{study}/logs/external_labels/{set}.log",
    benchmark:
        "results/{study}/benchmarks/external_labels/{set}.tsv"
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=10,
    params:
        code=code("external_labels"),
        image_column=lambda wildcards: config["external"][wildcards.set]["image_column"],
        level_column=lambda wildcards: config["external"][wildcards.set]["level_column"],
        levels=external_levels,
    message:
        "Translate the labels of {wildcards.set}"
    script:
        "../workflow_scripts/external_labels.py"


use rule inspect_photographs as inspect_external with:
    input:
        folders=[],
        drawn=[],
        unpacked=[],
    output:
        table="results/{study}/external/{set}/manifest/shard-{shard}.csv",
    log:
        "results/{study}/logs/inspect_external/{set}/{shard}.log",
    benchmark:
        "results/{study}/benchmarks/inspect_external/{set}/{shard}.tsv"
    params:
        code=code("inspect_photographs"),
        folders=lambda wildcards: [config["external"][wildcards.set]["photographs"]],
        listing=external_listing,
        shards=config["photographs"]["shards"],
    message:
        "Inspect the photographs of {wildcards.set}, shard {wildcards.shard}"


use rule manifest as external_manifest with:
    input:
        shards=collect(
            "results/{{study}}/external/{{set}}/manifest/shard-{shard}.csv",
            shard=range(config["photographs"]["shards"]),
        ),
        labels=["results/{study}/external/{set}/labels.csv"],
        refused=[],
        quality=[],
    output:
        manifest="results/{study}/external/{set}/manifest.csv",
        rejects="results/{study}/external/{set}/rejects.csv",
    log:
        "results/{study}/logs/external_manifest/{set}.log",
    benchmark:
        "results/{study}/benchmarks/external_manifest/{set}.tsv"
    params:
        code=code("manifest"),
        image_column="image",
        level_column="level",
        reject_limit=config["photographs"]["reject_limit"],
        quality_columns=[],
    message:
        "Put the manifest of {wildcards.set} together"


rule external_overlaps:
    input:
        manifest="results/{study}/external/{set}/manifest.csv",
        study="results/{study}/manifest.csv",
    output:
        overlaps="results/{study}/external/{set}/overlaps.csv",
    log:
        "results/{study}/logs/external_overlaps/{set}.log",
    benchmark:
        "results/{study}/benchmarks/external_overlaps/{set}.tsv"
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=120,
    params:
        code=code("external_overlaps"),
    message:
        "Look for photographs of {wildcards.set} that the study has too"
    script:
        "../workflow_scripts/external_overlaps.py"


rule external_selection:
    input:
        manifest="results/{study}/external/{set}/manifest.csv",
        overlaps="results/{study}/external/{set}/overlaps.csv",
    output:
        selected="results/{study}/external/{set}/selected/{task}.csv",
    log:
        "results/{study}/logs/external_selection/{set}/{task}.log",
    benchmark:
        "results/{study}/benchmarks/external_selection/{set}/{task}.tsv"
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code("external_selection"),
        negative=lambda wildcards: config["tasks"][wildcards.task]["negative"],
        positive=lambda wildcards: config["tasks"][wildcards.task]["positive"],
    message:
        "Select the photographs of {wildcards.set} for the task {wildcards.task}"
    script:
        "../workflow_scripts/external_selection.py"


use rule records as external_records with:
    input:
        manifest="results/{study}/external/{set}/manifest.csv",
        selected="results/{study}/external/{set}/selected/{task}.csv",
    output:
        records="results/{study}/external/{set}/records/{task}/{size}/part-{part}/shard-{shard}.tfrecord",
    log:
        "results/{study}/logs/external_records/{set}/{task}/{size}/{part}-{shard}.log",
    benchmark:
        "results/{study}/benchmarks/external_records/{set}/{task}/{size}/{part}-{shard}.tsv"
    message:
        "Write records of {wildcards.set}: {wildcards.task}, {wildcards.size} px, shard {wildcards.shard}"
