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
        images=config["saliency"]["images"],
        samples=config["saliency"]["samples"],
        contrast=config["photographs"]["contrast"],
    message:
        "Explain {wildcards.network} at {wildcards.size} px on {wildcards.task}"
    script:
        "../workflow_scripts/saliency.py"


rule saliency_sizes:
    input:
        small_weights=shown_initial(SMALL),
        small_trained=shown_file("trained.h5", SMALL),
        small_predictions=shown_file("test.csv", SMALL),
        small_operating=shown_file("operating.json", SMALL),
        large_weights=shown_initial(LARGE),
        large_trained=shown_file("trained.h5", LARGE),
        large_predictions=shown_file("test.csv", LARGE),
        large_operating=shown_file("operating.json", LARGE),
        record=shown_file("record.json", LARGE),
        manifest="results/{study}/manifest.csv",
    output:
        figure=report(
            "results/{study}/figures/saliency_sizes/{task}-{network}.png",
            caption="../report/saliency_sizes.rst",
            category="5 Where it looks",
            labels={"figure": "{network} at both sizes, {task}"},
        ),
    log:
        "results/{study}/logs/saliency_sizes/{task}-{network}.log",
    benchmark:
        "results/{study}/benchmarks/saliency_sizes/{task}-{network}.tsv"
    conda:
        "../envs/tensorflow.yaml"
    threads: 2
    resources:
        gpu=1,
        mem_mb=6000,
        runtime=60,
    params:
        code=code("saliency_sizes"),
        small=shown_address(SMALL),
        large=shown_address(LARGE),
        photographs=config["saliency"]["photographs"],
        images=config["saliency"]["images"],
        contrast=config["photographs"]["contrast"],
    message:
        "Explain {wildcards.network} at both sizes on {wildcards.task}"
    script:
        "../workflow_scripts/saliency_sizes.py"
