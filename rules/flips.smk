# Which photographs flip between the sizes, and what the networks saw in them.


rule flips:
    input:
        small=final_files("test.csv", SMALL),
        large=final_files("test.csv", LARGE),
        small_operating=final_files("operating.json", SMALL),
        large_operating=final_files("operating.json", LARGE),
    output:
        table=report(
            "results/{study}/tables/flips.csv",
            caption="../report/flips.rst",
            category="5 Where it looks",
            labels={"table": "photographs that flip between the sizes"},
        ),
        markdown="results/{study}/tables/flips.md",
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
        runs=[
            case.run.address
            for case in studies.cases(config, "networks")
            if case.run.size == SMALL
        ],
    message:
        "List the photographs that flip between the sizes"
    script:
        "../workflow_scripts/flips.py"


rule flip_figure:
    input:
        flips="results/{study}/tables/flips.csv",
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
