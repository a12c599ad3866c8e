# One row per photograph, whatever is wrong with it; the rejects with their reasons; a data card.


rule inspect_photographs:
    input:
        folders=ancient(synthetic_folders),
        labels=label_files,
    output:
        table="results/{study}/manifest/shard-{shard}.csv",
    log:
        "results/{study}/logs/inspect_photographs/{shard}.log",
    benchmark:
        "results/{study}/benchmarks/inspect_photographs/{shard}.tsv"
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=120,
    params:
        code=code("inspect_photographs"),
        folders=photograph_folders,
        listing=listing,
        image_column=config["source"]["image_column"],
        level_column=config["source"]["level_column"],
        shards=config["photographs"]["shards"],
    message:
        "Inspect the photographs of shard {wildcards.shard}"
    script:
        "../workflow_scripts/inspect_photographs.py"


rule manifest:
    input:
        shards=collect(
            "results/{{study}}/manifest/shard-{shard}.csv",
            shard=range(config["photographs"]["shards"]),
        ),
    output:
        manifest="results/{study}/manifest.csv",
        rejects="results/{study}/rejects.csv",
    log:
        "results/{study}/logs/manifest.log",
    benchmark:
        "results/{study}/benchmarks/manifest.tsv"
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        code=code("manifest"),
        reject_limit=config["photographs"]["reject_limit"],
    message:
        "Put the manifest together"
    script:
        "../workflow_scripts/manifest.py"


rule data_card:
    input:
        manifest="results/{study}/manifest.csv",
        rejects="results/{study}/rejects.csv",
        splits=collect("results/{{study}}/splits/{task}.csv", task=config["tasks"]),
    output:
        table="results/{study}/tables/levels.csv",
        levels=report(
            "results/{study}/figures/levels.png",
            caption="../report/levels.rst",
            category="1 Data",
            labels={"figure": "photographs per level"},
        ),
        examples=report(
            "results/{study}/figures/examples.png",
            caption="../report/examples.rst",
            category="1 Data",
            labels={"figure": "one example per level"},
        ),
    log:
        "results/{study}/logs/data_card.log",
    benchmark:
        "results/{study}/benchmarks/data_card.tsv"
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        code=code("data_card"),
        tasks=list(config["tasks"]),
    message:
        "Draw the data card"
    script:
        "../workflow_scripts/data_card.py"
