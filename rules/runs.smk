# One rule trains any run. It reads train and validation only.


rule finetune:
    input:
        weights=lambda wildcards: f"{initial_of(Run.parse(wildcards.run))}/backbone.weights.h5",
        origin=lambda wildcards: f"{initial_of(Run.parse(wildcards.run))}/origin.json",
        train=training_inputs("train"),
        validation=training_inputs("validation"),
    output:
        trained="results/{study}/runs/{run}/trained.h5",
        architecture="results/{study}/runs/{run}/architecture.json",
        history="results/{study}/runs/{run}/history.csv",
        predictions="results/{study}/runs/{run}/validation.csv",
        record="results/{study}/runs/{run}/record.json",
    log:
        "results/{study}/logs/finetune/{run}.log",
    benchmark:
        "results/{study}/benchmarks/finetune/{run}.tsv"
    conda:
        "../envs/tensorflow.yaml"
    threads: 2
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: 6000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        code=code("finetune"),
        recipe={
            name: config["training"][name]
            for name in (
                "batch",
                "epochs",
                "patience",
                "optimiser",
                "clip",
                "augment",
                "schedule",
                "warmup",
                "head_epochs",
                "kernel_l2",
                "class_weights",
            )
        },
        scratch="results/{study}/scratch",
    message:
        "Train {wildcards.run}"
    script:
        "../workflow_scripts/finetune.py"
