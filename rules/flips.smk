# Which photographs flip between the sizes, and what the networks saw in them.


rule flips:
    input:
        records=runs_of("networks", "record.json"),
        histories=runs_of("networks", "history.csv"),
        predictions=runs_of("networks", "test.csv"),
        operating=runs_of("networks", "operating.json"),
    output:
        table=report(
            "results/{study}/tables/flips.csv",
            caption="../report/flips.rst",
            category="5 Where it looks",
            labels={"table": "photographs that flip between the sizes"},
        ),
        markdown="results/{study}/tables/flips.md",
        tests=report(
            "results/{study}/tables/flip_tests.csv",
            caption="../report/flip_tests.rst",
            category="5 Where it looks",
            labels={"table": "how many photographs flip, with McNemar's test"},
        ),
        tests_markdown="results/{study}/tables/flip_tests.md",
    log:
        "results/{study}/logs/flips.log",
    benchmark:
        "results/{study}/benchmarks/flips.tsv"
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code("flips"),
        cases=cases_of("networks"),
    message:
        "List the photographs that flip between the sizes"
    script:
        "../workflow_scripts/flips.py"


rule flip_figure:
    input:
        flips="results/{study}/tables/flips.csv",
        tests="results/{study}/tables/flip_tests.csv",
        manifest="results/{study}/manifest.csv",
        small_weights=shown_initial(SMALL),
        large_weights=shown_initial(LARGE),
        small_trained=shown_file("trained.h5", SMALL),
        large_trained=shown_file("trained.h5", LARGE),
    output:
        figure=report(
            "results/{study}/figures/flips/{task}-{network}.png",
            caption="../report/flips_figure.rst",
            category="5 Where it looks",
            labels={"figure": "{network}, {task}: wrong when small, right when large"},
        ),
    log:
        "results/{study}/logs/flip_figure/{task}-{network}.log",
    benchmark:
        "results/{study}/benchmarks/flip_figure/{task}-{network}.tsv"
    conda:
        "../envs/tensorflow.yaml"
    threads: 2
    resources:
        gpu=1,
        mem_mb=6000,
        runtime=60,
    params:
        code=code("flip_figure"),
        small=shown_address(SMALL),
        large=shown_address(LARGE),
        contrast=config["photographs"]["contrast"],
    message:
        "Show what size changes for {wildcards.network} on {wildcards.task}"
    script:
        "../workflow_scripts/flip_figure.py"
