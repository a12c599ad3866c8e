# What more photographs give, and what fellow eyes on both sides of a split would pretend.


LEAKAGE_TASK = config["studies"]["leakage"]["task"]


rule learning_curve_figure:
    input:
        table="results/{study}/tables/learning_curve.csv",
    output:
        figure=report(
            "results/{study}/figures/learning_curve.png",
            caption="../report/learning_curve_figure.rst",
            category="4 Test",
            labels={"figure": "test AUC against the number of training photographs"},
        ),
    log:
        "results/{study}/logs/learning_curve_figure.log",
    benchmark:
        "results/{study}/benchmarks/learning_curve_figure.tsv"
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code("learning_curve_figure"),
    message:
        "Draw what more photographs give"
    script:
        "../workflow_scripts/learning_curve_figure.py"


rule leakage_table:
    input:
        records=runs_of("leakage", "record.json"),
        histories=runs_of("leakage", "history.csv"),
        predictions=runs_of("leakage", "test.csv"),
        operating=runs_of("leakage", "operating.json"),
        splits=collect(
            "results/{{study}}/splits/{task}.csv",
            task=[LEAKAGE_TASK, LEAKAGE_TASK + LEAKING],
        ),
    output:
        table=report(
            "results/{study}/tables/leakage.csv",
            caption="../report/leakage_table.rst",
            category="4 Test",
            labels={"table": "leakage: a control that ignores patients"},
        ),
        markdown="results/{study}/tables/leakage.md",
        seeds="results/{study}/tables/leakage_seeds.csv",
        curves="results/{study}/tables/leakage_curves.csv",
    log:
        "results/{study}/logs/leakage_table.log",
    benchmark:
        "results/{study}/benchmarks/leakage_table.tsv"
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        code=code("leakage_table"),
        cases=cases_of("leakage"),
        assignment=ASSIGNMENT,
        repetitions=config["evaluation"]["repetitions"],
    message:
        "Make the table of the control that ignores patients"
    script:
        "../workflow_scripts/leakage_table.py"


rule leakage_figure:
    input:
        table="results/{study}/tables/leakage.csv",
    output:
        figure=report(
            "results/{study}/figures/leakage.png",
            caption="../report/leakage_figure.rst",
            category="4 Test",
            labels={"figure": "leakage: a control that ignores patients"},
        ),
    log:
        "results/{study}/logs/leakage_figure.log",
    benchmark:
        "results/{study}/benchmarks/leakage_figure.tsv"
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code("leakage_figure"),
    message:
        "Draw what fellow eyes on both sides of a split would pretend"
    script:
        "../workflow_scripts/leakage_figure.py"
