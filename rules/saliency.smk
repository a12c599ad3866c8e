# Where the final runs look.


rule saliency:
    input:
        weights=shown_initial(),
        trained=shown_file("trained.h5"),
        record=shown_file("record.json"),
        predictions=shown_file("test.csv"),
        operating=shown_file("operating.json"),
        manifest="results/{study}/manifest.csv",
    output:
        maps="results/{study}/saliency/{task}/{network}-{size}.h5",
        figure=report(
            "results/{study}/figures/saliency/{task}-{network}-{size}.png",
            caption="../report/saliency.rst",
            category="5 Where it looks",
            labels={"figure": "{network} at {size} px, {task}"},
        ),
    log:
        "results/{study}/logs/saliency/{task}/{network}-{size}.log",
    benchmark:
        "results/{study}/benchmarks/saliency/{task}/{network}-{size}.tsv"
    conda:
        "../envs/tensorflow.yaml"
    threads: 2
    resources:
        gpu=1,
        mem_mb=6000,
        runtime=60,
    params:
        code=code("saliency"),
        run=shown_address(),
        photographs=config["saliency"]["photographs"],
        contrast=config["photographs"]["contrast"],
    message:
        "Explain {wildcards.network} at {wildcards.size} px on {wildcards.task}"
    script:
        "../workflow_scripts/saliency.py"
