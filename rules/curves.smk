# Curves: how training went in the first studies, and how well the final runs tell and call.


rule steadiness_table:
    input:
        metrics="results/{study}/tables/regularisation.csv",
        curves="results/{study}/tables/regularisation_curves.csv",
    output:
        table=report(
            "results/{study}/tables/regularisation_steadiness.csv",
            caption="../report/regularisation_steadiness.rst",
            category="3 Studies",
            labels={"table": "regularisation: how soon and how steadily"},
        ),
        markdown="results/{study}/tables/regularisation_steadiness.md",
    log:
        "results/{study}/logs/steadiness_table.log",
    benchmark:
        "results/{study}/benchmarks/steadiness_table.tsv"
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code("steadiness_table"),
    message:
        "Make the table of how steadily runs reach their best"
    script:
        "../workflow_scripts/steadiness_table.py"


rule sweep_figure:
    input:
        table="results/{study}/tables/sweep.csv",
        curves="results/{study}/tables/sweep_curves.csv",
        recommendation="results/{study}/tables/sweep_recommendation.csv",
    output:
        figure=report(
            "results/{study}/figures/sweep.png",
            caption="../report/sweep_figure.rst",
            category="3 Studies",
            labels={"figure": "sweep: curves and heat map"},
        ),
    log:
        "results/{study}/logs/sweep_figure.log",
    benchmark:
        "results/{study}/benchmarks/sweep_figure.tsv"
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code("sweep_figure"),
    message:
        "Draw the sweep of learning rate and L2 constant"
    script:
        "../workflow_scripts/sweep_figure.py"


rule regularisation_figure:
    input:
        steadiness="results/{study}/tables/regularisation_steadiness.csv",
        curves="results/{study}/tables/regularisation_curves.csv",
    output:
        figure=report(
            "results/{study}/figures/regularisation.png",
            caption="../report/regularisation_figure.rst",
            category="3 Studies",
            labels={"figure": "regularisation: curves"},
        ),
    log:
        "results/{study}/logs/regularisation_figure.log",
    benchmark:
        "results/{study}/benchmarks/regularisation_figure.tsv"
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code("regularisation_figure"),
    message:
        "Draw the study of regularisation"
    script:
        "../workflow_scripts/regularisation_figure.py"


rule evaluation_curves:
    input:
        records=lambda wildcards: runs_of("networks", "record.json"),
        histories=lambda wildcards: runs_of("networks", "history.csv"),
        predictions=lambda wildcards: runs_of("networks", "test.csv"),
        operating=lambda wildcards: runs_of("networks", "operating.json"),
    output:
        roc="results/{study}/tables/roc_bands.csv",
        precision_recall="results/{study}/tables/pr_bands.csv",
        reliability="results/{study}/tables/reliability.csv",
        confusion="results/{study}/tables/confusion.csv",
    log:
        "results/{study}/logs/evaluation_curves.log",
    benchmark:
        "results/{study}/benchmarks/evaluation_curves.tsv"
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=60,
    params:
        code=code("evaluation_curves"),
        cases=lambda wildcards: cases_of("networks"),
        repetitions=config["evaluation"]["repetitions"],
    message:
        "Make the curves of the final runs on the test split"
    script:
        "../workflow_scripts/evaluation_curves.py"


rule evaluation_figure:
    input:
        table="results/{study}/tables/networks.csv",
        roc="results/{study}/tables/roc_bands.csv",
        precision_recall="results/{study}/tables/pr_bands.csv",
        reliability="results/{study}/tables/reliability.csv",
        confusion="results/{study}/tables/confusion.csv",
    output:
        roc=report(
            "results/{study}/figures/roc.png",
            caption="../report/roc.rst",
            category="4 Test",
            labels={"figure": "ROC curves on the test split"},
        ),
        precision_recall=report(
            "results/{study}/figures/precision_recall.png",
            caption="../report/precision_recall.rst",
            category="4 Test",
            labels={"figure": "precision–recall curves on the test split"},
        ),
        reliability=report(
            "results/{study}/figures/reliability.png",
            caption="../report/reliability.rst",
            category="4 Test",
            labels={"figure": "reliability of the probabilities"},
        ),
        confusion=report(
            "results/{study}/figures/confusion.png",
            caption="../report/confusion.rst",
            category="4 Test",
            labels={"figure": "confusion matrices"},
        ),
    log:
        "results/{study}/logs/evaluation_figure.log",
    benchmark:
        "results/{study}/benchmarks/evaluation_figure.tsv"
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code("evaluation_figure"),
    message:
        "Draw the curves, calibration and confusion matrices of the final runs"
    script:
        "../workflow_scripts/evaluation_figure.py"
