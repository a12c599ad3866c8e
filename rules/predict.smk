# New photographs, without labels, through one of the final runs.
rule predict:
    input:
        weights=f"{initial_of(PREDICTING)}/backbone.weights.h5",
        trained=f"results/{config['study']}/runs/{PREDICTING.address}/trained.h5",
        operating=f"results/{config['study']}/runs/{PREDICTING.address}/operating.json",
    output:
        table="results/{study}/predict/predictions.csv",
        overlays=directory("results/{study}/predict/overlays"),
    log:
        "results/{study}/logs/predict.log",
    benchmark:
        "results/{study}/benchmarks/predict.tsv"
    conda:
        "../envs/tensorflow.yaml"
    threads: 2
    resources:
        gpu=1,
        mem_mb=4000,
        runtime=60,
    params:
        code=code("predict"),
        run=PREDICTING.address,
        photographs=config["predict"]["photographs"],
        listing=sources.listings(NEW, 1) if NEW.is_dir() else [],
        contrast=config["photographs"]["contrast"],
    message:
        "Predict the photographs of {params.photographs}"
    script:
        "../workflow_scripts/predict.py"
