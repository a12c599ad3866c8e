# What the networks are: their facts and their blocks, before any of them is trained.
# The networks of the studies, in the order of the registry.
DESCRIBED = [
    name
    for name in registry.NETWORKS
    if name in config["studies"]["networks"]["networks"]
    or name
    in [
        config["studies"][study]["network"]
        for study in ("depth", "sweep", "regularisation")
    ]
]


rule network_facts:
    output:
        table=report(
            "results/{study}/tables/network_facts.csv",
            caption="../report/network_facts.rst",
            category="1 Networks",
            labels={"table": "what the networks are and cost"},
        ),
        markdown="results/{study}/tables/network_facts.md",
    log:
        "results/{study}/logs/network_facts.log",
    benchmark:
        "results/{study}/benchmarks/network_facts.tsv"
    conda:
        "../envs/tensorflow.yaml"
    threads: 1
    resources:
        gpu=0,
        mem_mb=2000,
        runtime=10,
    params:
        code=code("network_facts"),
        networks=DESCRIBED,
        sizes=config["studies"]["networks"]["sizes"],
    message:
        "Make the table of the networks"
    script:
        "../workflow_scripts/network_facts.py"


rule blocks_figure:
    output:
        figure=report(
            "results/{study}/figures/blocks.png",
            caption="../report/blocks_figure.rst",
            category="1 Networks",
            labels={"figure": "blocks of the networks, and their cuts"},
        ),
    log:
        "results/{study}/logs/blocks_figure.log",
    benchmark:
        "results/{study}/benchmarks/blocks_figure.tsv"
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code("blocks_figure"),
        networks=DESCRIBED,
        studied={
            config["studies"]["depth"]["network"]: config["studies"]["depth"]["depths"]
        },
        final={
            network: config["studies"]["networks"]["depths"][network]
            for network in config["studies"]["networks"]["networks"]
        },
    message:
        "Draw the blocks of the networks"
    script:
        "../workflow_scripts/blocks_figure.py"
