# Patients are dealt to parts once, for all tasks; a task selects photographs; a split is parts.


rule plan:
    input:
        labels=label_files,
        lists=list(SUBSETS.values()),
    output:
        plan="results/{study}/plan.csv",
    log:
        "results/{study}/logs/plan.log",
    benchmark:
        "results/{study}/benchmarks/plan.tsv"
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code("plan"),
        image_column=config["source"]["image_column"],
        level_column=config["source"]["level_column"],
        tasks=config["tasks"],
        listed=list(SUBSETS),
        parts=config["splits"]["parts"],
        seed=config["seed"],
    message:
        "Plan the tasks from the labels alone"
    script:
        "../workflow_scripts/plan.py"


rule select_photographs:
    input:
        manifest="results/{study}/manifest.csv",
        lists=list(SUBSETS.values()),
    output:
        selected="results/{study}/subsets/{task}.csv",
        record="results/{study}/subsets/{task}.json",
    log:
        "results/{study}/logs/select_photographs/{task}.log",
    benchmark:
        "results/{study}/benchmarks/select_photographs/{task}.tsv"
    wildcard_constraints:
        task=SELECTED_TASK,
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code("select_photographs"),
        task=lambda wildcards: config["tasks"][wildcards.task],
        listed=list(SUBSETS),
        parts=config["splits"]["parts"],
        seed=config["seed"],
    message:
        "Select the photographs of the task {wildcards.task}"
    script:
        "../workflow_scripts/select_photographs.py"


rule leak_fellow_eyes:
    input:
        selected="results/{study}/subsets/{task}.csv",
        known="results/{study}/subsets/{task}.json",
    output:
        selected=f"results/{{study}}/subsets/{{task}}{LEAKING}.csv",
        record=f"results/{{study}}/subsets/{{task}}{LEAKING}.json",
    log:
        "results/{study}/logs/leak_fellow_eyes/{task}.log",
    benchmark:
        "results/{study}/benchmarks/leak_fellow_eyes/{task}.tsv"
    wildcard_constraints:
        task=SELECTED_TASK,
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code("leak_fellow_eyes"),
        seed=config["seed"],
    message:
        "Deal the photographs of the task {wildcards.task} as if eyes had no fellow: a control"
    script:
        "../workflow_scripts/leak_fellow_eyes.py"


rule split:
    input:
        selected="results/{study}/subsets/{task}.csv",
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
        assignment=ASSIGNMENT,
        folds=studies.folds(config),
    message:
        "Split the photographs of the task {wildcards.task}"
    script:
        "../workflow_scripts/split.py"


rule fellow_eye:
    input:
        manifest="results/{study}/manifest.csv",
    output:
        table=report(
            "results/{study}/tables/fellow_eye.csv",
            caption="../report/fellow_eye.rst",
            category="1 Data",
            labels={"table": "the fellow eye's level as a prediction"},
        ),
        markdown="results/{study}/tables/fellow_eye.md",
    log:
        "results/{study}/logs/fellow_eye.log",
    benchmark:
        "results/{study}/benchmarks/fellow_eye.tsv"
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code("fellow_eye"),
        tasks={task: config["tasks"][task] for task in TASKS},
        seed=config["seed"],
        repetitions=config["evaluation"]["repetitions"],
    message:
        "Measure what the fellow eye gives away"
    script:
        "../workflow_scripts/fellow_eye.py"
