# One row per photograph, whatever is wrong with it; the rejects with their reasons; a data card.


rule inspect_photographs:
    input:
        folders=ancient(synthetic_folders),
        # What tells of changes, with `listing`: labels with the hashes of what was drawn, receipts of
        # what was unpacked. Other labels do not matter here.
        drawn=drawn_labels,
        unpacked=unpacked_sets,
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
        labels=label_files,
        refused=refused_entries,
        quality=[
            table for table in [config["photographs"]["quality"]["table"]] if table
        ],
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
        image_column=config["source"]["image_column"],
        level_column=config["source"]["level_column"],
        reject_limit=config["photographs"]["reject_limit"],
        quality_columns=[
            config["photographs"]["quality"][column]
            for column in ("image_column", "quality_column")
            if config["photographs"]["quality"]["table"]
        ],
    message:
        "Put the manifest together"
    script:
        "../workflow_scripts/manifest.py"


rule data_card:
    input:
        manifest="results/{study}/manifest.csv",
        splits=collect("results/{{study}}/splits/{task}.csv", task=TASKS),
        proofs=collect("results/{{study}}/splits/{task}_proof.csv", task=TASKS),
        subsets=collect("results/{{study}}/subsets/{task}.json", task=TASKS),
        fellow="results/{study}/tables/fellow_eye.csv",
        external=collect(
            "results/{{study}}/external/{set}/manifest.csv", set=config["external"]
        ),
        overlaps=collect(
            "results/{{study}}/external/{set}/overlaps.csv", set=config["external"]
        ),
    output:
        page=report(
            "results/{study}/data_card.html",
            caption="../report/data_card.rst",
            category="1 Data",
            labels={"page": "data card"},
        ),
        table="results/{study}/tables/levels.csv",
        sizes_table="results/{study}/tables/sizes.csv",
        duplicates="results/{study}/tables/duplicates.csv",
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
        sizes=report(
            "results/{study}/figures/sizes.png",
            caption="../report/sizes.rst",
            category="1 Data",
            labels={"figure": "levels per size"},
        ),
        brightness=report(
            "results/{study}/figures/brightness.png",
            caption="../report/brightness.rst",
            category="1 Data",
            labels={"figure": "brightness and saturation per level"},
        ),
        rejects=report(
            "results/{study}/figures/rejects.png",
            caption="../report/rejects.rst",
            category="1 Data",
            labels={"figure": "rejected photographs"},
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
        tasks=TASKS,
        external=list(config["external"]),
    message:
        "Write the data card"
    script:
        "../workflow_scripts/data_card.py"
