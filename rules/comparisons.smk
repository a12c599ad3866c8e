# Paired comparisons: every two models of a study on the same photographs, and whole blocks against
# cuts inside a block.

COMPARED = ["networks", "initialisation", "depth"]


rule comparisons_table:
    input:
        records=lambda wildcards: [
            path for study in COMPARED for path in runs_of(study, "record.json")
        ],
        histories=lambda wildcards: [
            path for study in COMPARED for path in runs_of(study, "history.csv")
        ],
        predictions=lambda wildcards: [
            path for study in COMPARED for path in runs_of(study, "test.csv")
        ],
        operating=lambda wildcards: [
            path for study in COMPARED for path in runs_of(study, "operating.json")
        ],
    output:
        table=report(
            "results/{study}/tables/comparisons.csv",
            caption="../report/comparisons.rst",
            category="4 Test",
            labels={"table": "comparisons: every two models of a study"},
        ),
        markdown="results/{study}/tables/comparisons.md",
    log:
        "results/{study}/logs/comparisons_table.log",
    benchmark:
        "results/{study}/benchmarks/comparisons_table.tsv"
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        code=code("comparisons_table"),
        cases=lambda wildcards: {study: cases_of(study) for study in COMPARED},
        seed=config["seed"],
        repetitions=config["evaluation"]["repetitions"],
    message:
        "Compare every two models on the test split"
    script:
        "../workflow_scripts/comparisons_table.py"


rule comparisons_figure:
    input:
        table="results/{study}/tables/comparisons.csv",
    output:
        figure=report(
            "results/{study}/figures/comparisons.png",
            caption="../report/comparisons_figure.rst",
            category="4 Test",
            labels={"figure": "differences of test AUC between models"},
        ),
    log:
        "results/{study}/logs/comparisons_figure.log",
    benchmark:
        "results/{study}/benchmarks/comparisons_figure.tsv"
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code("comparisons_figure"),
    message:
        "Draw the comparisons of models"
    script:
        "../workflow_scripts/comparisons_figure.py"


rule cuts_table:
    input:
        records=lambda wildcards: runs_of("depth", "record.json"),
        histories=lambda wildcards: runs_of("depth", "history.csv"),
        predictions=lambda wildcards: runs_of("depth", "test.csv"),
    output:
        table=report(
            "results/{study}/tables/depth_cuts.csv",
            caption="../report/depth_cuts.rst",
            category="3 Studies",
            labels={"table": "depth: are whole blocks better cuts?"},
        ),
        markdown="results/{study}/tables/depth_cuts.md",
    log:
        "results/{study}/logs/cuts_table.log",
    benchmark:
        "results/{study}/benchmarks/cuts_table.tsv"
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        code=code("cuts_table"),
        cases=lambda wildcards: cases_of("depth"),
        seed=config["seed"],
        repetitions=config["evaluation"]["repetitions"],
    message:
        "Test whether whole blocks are better cuts than cuts inside a block"
    script:
        "../workflow_scripts/cuts_table.py"
