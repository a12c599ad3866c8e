# Patients are dealt to parts once, for all tasks; a task selects photographs and a split is parts.


rule split:
    input:
        manifest="results/{study}/manifest.csv",
    output:
        table="results/{study}/splits/{task}.csv",
        proof=report(
            "results/{study}/splits/{task}_proof.csv",
            caption="../report/proof.rst",
            category="1 Data",
            labels={"table": "splits of {task}: counts, and patients shared"},
        ),
    log:
        "results/{study}/logs/split/{task}.log",
    benchmark:
        "results/{study}/benchmarks/split/{task}.tsv"
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code("split"),
        task=lambda wildcards: config["tasks"][wildcards.task],
        assignment=ASSIGNMENT,
        folds=studies.folds(config),
        seed=config["seed"],
    message:
        "Split the photographs of the task {wildcards.task}"
    script:
        "../workflow_scripts/split.py"
