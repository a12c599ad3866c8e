# Initial weights, and what a frozen part makes of the photographs: computed once, shared by runs.


rule initial_imagenet:
    input:
        weights="resources/{study}/weights/{network}.weights.h5",
        origin="resources/{study}/weights/{network}.json",
        train=stand_in_records,
    output:
        weights="results/{study}/initial/{task}/{network}/{size}/imagenet/backbone.weights.h5",
        origin="results/{study}/initial/{task}/{network}/{size}/imagenet/origin.json",
    log:
        "results/{study}/logs/initial_imagenet/{task}/{network}/{size}.log",
    benchmark:
        "results/{study}/benchmarks/initial_imagenet/{task}/{network}/{size}.tsv"
    conda:
        "../envs/tensorflow.yaml"
    threads: 2
    resources:
        gpu=1,
        mem_mb=6000,
        runtime=30,
    params:
        code=code("initial_imagenet"),
        seed=config["seed"],
    message:
        "Make initial weights: {wildcards.network}, {wildcards.size} px, for {wildcards.task}"
    script:
        "../workflow_scripts/initial_imagenet.py"


rule initial_random:
    input:
        train=statistics_records,
    output:
        weights="results/{study}/initial/{task}/{network}/{size}/{initialisation}-fold={fold}_seed={seed}/backbone.weights.h5",
        origin="results/{study}/initial/{task}/{network}/{size}/{initialisation}-fold={fold}_seed={seed}/origin.json",
    log:
        "results/{study}/logs/initial_random/{task}/{network}/{size}/{initialisation}-{fold}-{seed}.log",
    benchmark:
        "results/{study}/benchmarks/initial_random/{task}/{network}/{size}/{initialisation}-{fold}-{seed}.tsv"
    wildcard_constraints:
        initialisation="random_frozen|random_all",
    conda:
        "../envs/tensorflow.yaml"
    threads: 2
    resources:
        gpu=1,
        mem_mb=6000,
        runtime=30,
    params:
        code=code("initial_random"),
    message:
        "Make random weights: {wildcards.network}, {wildcards.size} px, seed {wildcards.seed}"
    script:
        "../workflow_scripts/initial_random.py"


rule features:
    input:
        weights="results/{study}/initial/{initial}/backbone.weights.h5",
        records=part_records,
    output:
        features="results/{study}/features/{initial}/{depth}{kept}/part-{part}.h5",
    log:
        "results/{study}/logs/features/{initial}/{depth}{kept}/{part}.log",
    benchmark:
        "results/{study}/benchmarks/features/{initial}/{depth}{kept}/{part}.tsv"
    wildcard_constraints:
        kept="|=float16",
    conda:
        "../envs/tensorflow.yaml"
    threads: 2
    resources:
        gpu=1,
        mem_mb=4000,
        runtime=240,
    params:
        code=code("features"),
        augment=config["training"]["augment"],
        kept=lambda wildcards: wildcards.kept.removeprefix("=") or FEATURES,
    message:
        "Compute what is frozen: {wildcards.initial}, below {wildcards.depth}, part {wildcards.part}"
    script:
        "../workflow_scripts/features.py"
