# Operating points, from validation alone; and the only rules that meet test or external records.


rule freeze:
    input:
        record="results/{study}/runs/{run}/record.json",
        validation="results/{study}/runs/{run}/validation.csv",
    output:
        operating="results/{study}/runs/{run}/operating.json",
    log:
        "results/{study}/logs/freeze/{run}.log",
    benchmark:
        "results/{study}/benchmarks/freeze/{run}.tsv"
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code("freeze"),
    message:
        "Freeze the operating points of {wildcards.run}"
    script:
        "../workflow_scripts/freeze.py"


rule score:
    input:
        weights=lambda wildcards: f"{initial_of(Run.parse(wildcards.run))}/backbone.weights.h5",
        trained="results/{study}/runs/{run}/trained.h5",
        record="results/{study}/runs/{run}/record.json",
        records=run_test_records,
    output:
        predictions="results/{study}/runs/{run}/test.csv",
    log:
        "results/{study}/logs/score/{run}.log",
    benchmark:
        "results/{study}/benchmarks/score/{run}.tsv"
    conda:
        "../envs/tensorflow.yaml"
    threads: 2
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=60,
    params:
        code=code("score"),
        split="test",
    message:
        "Score the test photographs with {wildcards.run}"
    script:
        "../workflow_scripts/score.py"


use rule score as score_external with:
    input:
        weights=lambda wildcards: f"{initial_of(Run.parse(wildcards.run))}/backbone.weights.h5",
        trained="results/{study}/runs/{run}/trained.h5",
        record="results/{study}/runs/{run}/record.json",
        records=run_external_records,
    output:
        predictions="results/{study}/external/{set}/runs/{run}/predictions.csv",
    log:
        "results/{study}/logs/score_external/{set}/{run}.log",
    benchmark:
        "results/{study}/benchmarks/score_external/{set}/{run}.tsv"
    params:
        code=code("score"),
        split="external",
    message:
        "Score the photographs of {wildcards.set} with {wildcards.run}"


rule score_baseline:
    input:
        models="results/{study}/baselines/{task}/{inputs}/fold={fold}/models.joblib",
        records=baseline_records("test"),
        weights=baseline_initial("backbone.weights.h5"),
        manifest=baseline_manifest,
    output:
        predictions="results/{study}/baselines/{task}/{inputs}/fold={fold}/test.csv",
    log:
        "results/{study}/logs/score_baseline/{task}/{inputs}/{fold}.log",
    benchmark:
        "results/{study}/benchmarks/score_baseline/{task}/{inputs}/{fold}.tsv"
    conda:
        "../envs/tensorflow.yaml"
    threads: 1
    resources:
        gpu=lambda wildcards: int(wildcards.inputs.startswith("features")),
        mem_mb=4000,
        runtime=60,
    params:
        code=code("score_baseline"),
        materials=baseline_settings,
    message:
        "Score the test photographs with classical methods on {wildcards.inputs}: {wildcards.task}"
    script:
        "../workflow_scripts/score_baseline.py"
