# Studies: lists of runs, a table and a figure of each, and what validation recommends.


rule study_table:
    input:
        records=lambda wildcards: runs_of(wildcards.name, "record.json"),
        histories=lambda wildcards: runs_of(wildcards.name, "history.csv"),
        predictions=lambda wildcards: runs_of(wildcards.name, "validation.csv"),
    output:
        table=report(
            "results/{study}/tables/{name}.csv",
            caption="../report/study_table.rst",
            category="3 Studies",
            labels={"table": "{name}: metrics on the validation split"},
        ),
        markdown="results/{study}/tables/{name}.md",
        seeds="results/{study}/tables/{name}_seeds.csv",
        curves="results/{study}/tables/{name}_curves.csv",
        recommendation="results/{study}/tables/{name}_recommendation.csv",
    log:
        "results/{study}/logs/study_table/{name}.log",
    benchmark:
        "results/{study}/benchmarks/study_table/{name}.tsv"
    wildcard_constraints:
        name="sweep|regularisation|depth",
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        code=code("study_table"),
        cases=lambda wildcards: cases_of(wildcards.name),
        configured=lambda wildcards: configured(wildcards.name),
        repetitions=config["evaluation"]["repetitions"],
    message:
        "Make the table of the study {wildcards.name}"
    script:
        "../workflow_scripts/study_table.py"


rule test_table:
    input:
        records=lambda wildcards: runs_of(tested(wildcards), "record.json"),
        histories=lambda wildcards: runs_of(tested(wildcards), "history.csv"),
        predictions=lambda wildcards: runs_of(tested(wildcards), "test.csv"),
        operating=lambda wildcards: runs_of(tested(wildcards), "operating.json"),
    output:
        table=report(
            "results/{study}/tables/{name}.csv",
            caption="../report/test_table.rst",
            category="4 Test",
            labels={"table": "{name}: metrics on the test split"},
        ),
        markdown="results/{study}/tables/{name}.md",
        seeds="results/{study}/tables/{name}_seeds.csv",
        curves="results/{study}/tables/{name}_curves.csv",
    log:
        "results/{study}/logs/test_table/{name}.log",
    benchmark:
        "results/{study}/benchmarks/test_table/{name}.tsv"
    wildcard_constraints:
        name="networks|initialisation|depth_test|learning_curve",
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        code=code("test_table"),
        cases=lambda wildcards: cases_of(tested(wildcards)),
        repetitions=config["evaluation"]["repetitions"],
    message:
        "Make the table on the test split: {wildcards.name}"
    script:
        "../workflow_scripts/test_table.py"


rule depth_figure:
    input:
        table="results/{study}/tables/depth.csv",
    output:
        figure=report(
            "results/{study}/figures/depth.png",
            caption="../report/depth_figure.rst",
            category="3 Studies",
            labels={"figure": "depth: whole blocks and cuts inside a block"},
        ),
    log:
        "results/{study}/logs/depth_figure.log",
    benchmark:
        "results/{study}/benchmarks/depth_figure.tsv"
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code("depth_figure"),
    message:
        "Draw the depth study"
    script:
        "../workflow_scripts/depth_figure.py"


rule networks_figure:
    input:
        table="results/{study}/tables/networks.csv",
        baselines="results/{study}/tables/baselines.csv",
    output:
        comparison=report(
            "results/{study}/figures/networks.png",
            caption="../report/networks_figure.rst",
            category="4 Test",
            labels={"figure": "test AUC with intervals"},
        ),
    log:
        "results/{study}/logs/networks_figure.log",
    benchmark:
        "results/{study}/benchmarks/networks_figure.tsv"
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code("networks_figure"),
    message:
        "Draw the final runs"
    script:
        "../workflow_scripts/networks_figure.py"


rule initialisation_figure:
    input:
        table="results/{study}/tables/initialisation.csv",
    output:
        figure=report(
            "results/{study}/figures/initialisation.png",
            caption="../report/initialisation_figure.rst",
            category="4 Test",
            labels={"figure": "initialisation: what transfer gives"},
        ),
    log:
        "results/{study}/logs/initialisation_figure.log",
    benchmark:
        "results/{study}/benchmarks/initialisation_figure.tsv"
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code("initialisation_figure"),
    message:
        "Draw the final runs beside random controls"
    script:
        "../workflow_scripts/initialisation_figure.py"
