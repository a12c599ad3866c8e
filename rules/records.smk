# TFRecord shards per task, size and part; one job per shard.


rule records:
    input:
        manifest="results/{study}/manifest.csv",
        selected="results/{study}/subsets/{task}.csv",
    output:
        records="results/{study}/records/{task}/{size}/part-{part}/shard-{shard}.tfrecord",
    log:
        "results/{study}/logs/records/{task}/{size}/{part}-{shard}.log",
    benchmark:
        "results/{study}/benchmarks/records/{task}/{size}/{part}-{shard}.tsv"
    conda:
        "../envs/tensorflow.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=120,
    params:
        code=code("records"),
        shards=config["records"]["shards"],
        contrast=config["photographs"]["contrast"],
        seed=config["seed"],
    message:
        "Write records: {wildcards.task}, {wildcards.size} px, part {wildcards.part}, shard {wildcards.shard}"
    script:
        "../workflow_scripts/records.py"
