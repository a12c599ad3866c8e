# Classical methods on pixels, on metadata alone and on frozen features.


rule fit_baseline:
    input:
        records=baseline_records("train"),
        weights=baseline_initial("backbone.weights.h5"),
        manifest=baseline_manifest,
    output:
        models="results/{study}/baselines/{task}/{inputs}/fold={fold}/models.joblib",
        settings="results/{study}/baselines/{task}/{inputs}/fold={fold}/settings.csv",
    log:
        "results/{study}/logs/fit_baseline/{task}/{inputs}/{fold}.log",
    benchmark:
        "results/{study}/benchmarks/fit_baseline/{task}/{inputs}/{fold}.tsv"
    conda:
        "../envs/tensorflow.yaml"
    threads: 1
    resources:
        gpu=lambda wildcards: int(wildcards.inputs.startswith("features")),
        mem_mb=4000,
        runtime=120,
    params:
        code=code("fit_baseline"),
        materials=baseline_settings,
        seed=config["seed"],
    message:
        "Fit the classical methods on {wildcards.inputs}: {wildcards.task}, fold {wildcards.fold}"
    script:
        "../workflow_scripts/fit_baseline.py"


rule baselines_table:
    input:
        predictions=baseline_files("test.csv"),
        settings=baseline_files("settings.csv"),
        origins=baseline_origins(),
    output:
        table=report(
            "results/{study}/tables/baselines.csv",
            caption="../report/baselines.rst",
            category="2 Baselines",
            labels={"table": "classical methods on the test split"},
        ),
        markdown="results/{study}/tables/baselines.md",
    log:
        "results/{study}/logs/baselines_table.log",
    benchmark:
        "results/{study}/benchmarks/baselines_table.tsv"
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        code=code("baselines_table"),
        baselines=baseline_cases(),
        starts=baseline_starts(),
        size=config["baselines"]["size"],
        seed=config["seed"],
        repetitions=config["evaluation"]["repetitions"],
    message:
        "Make the table of the classical methods"
    script:
        "../workflow_scripts/baselines_table.py"
