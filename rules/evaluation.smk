# Evaluation: the final runs on slices of the test photographs, in ensembles, at operating points.


rule slices_table:
    input:
        records=lambda wildcards: runs_of("networks", "record.json"),
        histories=lambda wildcards: runs_of("networks", "history.csv"),
        predictions=lambda wildcards: runs_of("networks", "test.csv"),
        operating=lambda wildcards: runs_of("networks", "operating.json"),
        manifest="results/{study}/manifest.csv",
    output:
        table=report(
            "results/{study}/tables/slices.csv",
            caption="../report/slices.rst",
            category="4 Test",
            labels={"table": "slices: metrics on parts of the test split"},
        ),
        markdown="results/{study}/tables/slices.md",
    log:
        "results/{study}/logs/slices_table.log",
    benchmark:
        "results/{study}/benchmarks/slices_table.tsv"
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        code=code("slices_table"),
        cases=lambda wildcards: cases_of("networks"),
        repetitions=config["evaluation"]["repetitions"],
    message:
        "Measure the final runs on slices of the test photographs"
    script:
        "../workflow_scripts/slices_table.py"


rule ensemble_thresholds:
    input:
        records=lambda wildcards: runs_of("networks", "record.json"),
        histories=lambda wildcards: runs_of("networks", "history.csv"),
        predictions=lambda wildcards: runs_of("networks", "validation.csv"),
        operating=lambda wildcards: runs_of("networks", "operating.json"),
    output:
        thresholds="results/{study}/tables/ensemble_thresholds.csv",
    log:
        "results/{study}/logs/ensemble_thresholds.log",
    benchmark:
        "results/{study}/benchmarks/ensemble_thresholds.tsv"
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code("ensemble_thresholds"),
        cases=lambda wildcards: cases_of("networks"),
    message:
        "Choose the thresholds of ensembles on validation"
    script:
        "../workflow_scripts/ensemble_thresholds.py"


rule ensembles_table:
    input:
        records=lambda wildcards: runs_of("networks", "record.json"),
        histories=lambda wildcards: runs_of("networks", "history.csv"),
        predictions=lambda wildcards: runs_of("networks", "test.csv"),
        operating=lambda wildcards: runs_of("networks", "operating.json"),
        thresholds="results/{study}/tables/ensemble_thresholds.csv",
    output:
        table=report(
            "results/{study}/tables/ensembles.csv",
            caption="../report/ensembles.rst",
            category="4 Test",
            labels={"table": "ensembles: metrics on the test split"},
        ),
        markdown="results/{study}/tables/ensembles.md",
    log:
        "results/{study}/logs/ensembles_table.log",
    benchmark:
        "results/{study}/benchmarks/ensembles_table.tsv"
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        code=code("ensembles_table"),
        cases=lambda wildcards: cases_of("networks"),
        repetitions=config["evaluation"]["repetitions"],
    message:
        "Combine the final runs to ensembles"
    script:
        "../workflow_scripts/ensembles_table.py"


rule operating_table:
    input:
        records=lambda wildcards: runs_of("networks", "record.json"),
        histories=lambda wildcards: runs_of("networks", "history.csv"),
        predictions=lambda wildcards: runs_of("networks", "test.csv"),
        operating=lambda wildcards: runs_of("networks", "operating.json"),
        validation=lambda wildcards: runs_of("networks", "validation.csv"),
    output:
        points=report(
            "results/{study}/tables/operating_points.csv",
            caption="../report/operating_points.rst",
            category="4 Test",
            labels={"table": "operating points on the test split"},
        ),
        points_markdown="results/{study}/tables/operating_points.md",
        calibration=report(
            "results/{study}/tables/calibration.csv",
            caption="../report/calibration.rst",
            category="4 Test",
            labels={"table": "calibration on the test split"},
        ),
        calibration_markdown="results/{study}/tables/calibration.md",
    log:
        "results/{study}/logs/operating_table.log",
    benchmark:
        "results/{study}/benchmarks/operating_table.tsv"
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        code=code("operating_table"),
        cases=lambda wildcards: cases_of("networks"),
        prevalences=config["evaluation"]["prevalences"],
        repetitions=config["evaluation"]["repetitions"],
    message:
        "Apply the frozen operating points and temperatures to the test photographs"
    script:
        "../workflow_scripts/operating_table.py"


rule external_table:
    input:
        records=lambda wildcards: runs_of("networks", "record.json"),
        histories=lambda wildcards: runs_of("networks", "history.csv"),
        predictions=external_predictions(),
        operating=lambda wildcards: runs_of("networks", "operating.json"),
    output:
        table=report(
            "results/{study}/tables/external.csv",
            caption="../report/external.rst",
            category="4 Test",
            labels={"table": "external sets: metrics at the frozen thresholds"},
        ),
        markdown="results/{study}/tables/external.md",
    log:
        "results/{study}/logs/external_table.log",
    benchmark:
        "results/{study}/benchmarks/external_table.tsv"
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        code=code("external_table"),
        cases=lambda wildcards: cases_of("networks"),
        sets=list(config["external"]),
        repetitions=config["evaluation"]["repetitions"],
    message:
        "Measure the final runs on external sets"
    script:
        "../workflow_scripts/external_table.py"
