# Whether maps can be believed: do they change with the weights and with the class, and does the
# network miss what they point to? Of the final runs at the small size.


rule randomise_maps:
    input:
        weights=shown_initial(),
        trained=shown_file("trained.h5"),
        random=randomised_weights,
        record=shown_file("record.json"),
        predictions=shown_file("test.csv"),
        operating=shown_file("operating.json"),
        manifest="results/{study}/manifest.csv",
    output:
        similarities="results/{study}/sanity/{task}/{network}-{size}/similarities.csv",
        sheet="results/{study}/sanity/{task}/{network}-{size}/maps.h5",
    log:
        "results/{study}/logs/randomise_maps/{task}/{network}-{size}.log",
    benchmark:
        "results/{study}/benchmarks/randomise_maps/{task}/{network}-{size}.tsv"
    conda:
        "../envs/tensorflow.yaml"
    threads: 2
    resources:
        gpu=1,
        mem_mb=6000,
        runtime=120,
    params:
        code=code("randomise_maps"),
        run=shown_address(),
        random=lambda wildcards: randomised_run(wildcards).address,
        photographs=config["saliency"]["photographs"],
        images=config["saliency"]["images"],
        samples=config["saliency"]["samples"],
        contrast=config["photographs"]["contrast"],
    message:
        "Make {wildcards.network} on {wildcards.task} random, and see whether its maps change"
    script:
        "../workflow_scripts/randomise_maps.py"


rule swap_classes:
    input:
        weights=shown_initial(),
        trained=shown_file("trained.h5"),
        predictions=shown_file("test.csv"),
        operating=shown_file("operating.json"),
        manifest="results/{study}/manifest.csv",
    output:
        swaps="results/{study}/sanity/{task}/{network}-{size}/class_swap.csv",
    log:
        "results/{study}/logs/swap_classes/{task}/{network}-{size}.log",
    benchmark:
        "results/{study}/benchmarks/swap_classes/{task}/{network}-{size}.tsv"
    conda:
        "../envs/tensorflow.yaml"
    threads: 2
    resources:
        gpu=1,
        mem_mb=6000,
        runtime=60,
    params:
        code=code("swap_classes"),
        run=shown_address(),
        # Means need more photographs than a sheet has rows, and Grad-CAM of one class may be dark.
        photographs=2 * config["saliency"]["photographs"],
        contrast=config["photographs"]["contrast"],
    message:
        "Explain both classes by {wildcards.network} on {wildcards.task}"
    script:
        "../workflow_scripts/swap_classes.py"


rule deletion_curves:
    input:
        weights=shown_initial(),
        trained=shown_file("trained.h5"),
        predictions=shown_file("test.csv"),
        operating=shown_file("operating.json"),
        manifest="results/{study}/manifest.csv",
    output:
        curves="results/{study}/sanity/{task}/{network}-{size}/deletion.csv",
    log:
        "results/{study}/logs/deletion_curves/{task}/{network}-{size}.log",
    benchmark:
        "results/{study}/benchmarks/deletion_curves/{task}/{network}-{size}.tsv"
    conda:
        "../envs/tensorflow.yaml"
    threads: 2
    resources:
        gpu=1,
        mem_mb=6000,
        runtime=60,
    params:
        code=code("deletion_curves"),
        run=shown_address(),
        # Means need more photographs than a sheet has rows.
        photographs=2 * config["saliency"]["photographs"],
        samples=config["saliency"]["samples"],
        contrast=config["photographs"]["contrast"],
    message:
        "Delete and insert what maps of {wildcards.network} on {wildcards.task} point to"
    script:
        "../workflow_scripts/deletion_curves.py"


rule sanity_tables:
    input:
        records=[
            f"results/{config['study']}/runs/{run.address}/record.json"
            for run in SANITY_RUNS
        ],
        similarities=sanity_files("similarities.csv"),
        swaps=sanity_files("class_swap.csv"),
        curves=sanity_files("deletion.csv"),
    output:
        randomisation=report(
            "results/{study}/tables/randomisation.csv",
            caption="../report/randomisation.rst",
            category="5 Where it looks",
            labels={"table": "sanity: do maps change when weights become random?"},
        ),
        randomisation_markdown="results/{study}/tables/randomisation.md",
        class_swap=report(
            "results/{study}/tables/class_swap.csv",
            caption="../report/class_swap.rst",
            category="5 Where it looks",
            labels={"table": "sanity: do maps change with the class?"},
        ),
        class_swap_markdown="results/{study}/tables/class_swap.md",
        deletion=report(
            "results/{study}/tables/deletion.csv",
            caption="../report/deletion.rst",
            category="5 Where it looks",
            labels={"table": "sanity: areas of deletion and insertion"},
        ),
        deletion_markdown="results/{study}/tables/deletion.md",
        deletion_curves="results/{study}/tables/deletion_curves.csv",
        deletion_curves_markdown="results/{study}/tables/deletion_curves.md",
    log:
        "results/{study}/logs/sanity_tables.log",
    benchmark:
        "results/{study}/benchmarks/sanity_tables.tsv"
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        code=code("sanity_tables"),
        runs=[run.address for run in SANITY_RUNS],
        repetitions=config["evaluation"]["repetitions"],
    message:
        "Make the tables of the sanity checks of maps"
    script:
        "../workflow_scripts/sanity_tables.py"


rule sanity_figures:
    input:
        randomisation="results/{study}/tables/randomisation.csv",
        areas="results/{study}/tables/deletion.csv",
        curves="results/{study}/tables/deletion_curves.csv",
    output:
        randomisation=report(
            "results/{study}/figures/randomisation.png",
            caption="../report/randomisation_figure.rst",
            category="5 Where it looks",
            labels={"figure": "sanity: maps while weights become random"},
        ),
        deletion=report(
            "results/{study}/figures/deletion.png",
            caption="../report/deletion_figure.rst",
            category="5 Where it looks",
            labels={"figure": "sanity: deletion and insertion"},
        ),
    log:
        "results/{study}/logs/sanity_figures.log",
    benchmark:
        "results/{study}/benchmarks/sanity_figures.tsv"
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        code=code("sanity_figures"),
    message:
        "Draw the sanity checks of maps"
    script:
        "../workflow_scripts/sanity_figures.py"


rule sanity_sheet:
    input:
        sheet=lambda wildcards: f"results/{wildcards.study}/sanity/{wildcards.task}/{wildcards.network}-{SMALL}/maps.h5",
    output:
        figure=report(
            "results/{study}/figures/sanity/{task}-{network}.png",
            caption="../report/sanity.rst",
            category="5 Where it looks",
            labels={"figure": "{network}, {task}: maps while weights become random"},
        ),
    log:
        "results/{study}/logs/sanity_sheet/{task}-{network}.log",
    benchmark:
        "results/{study}/benchmarks/sanity_sheet/{task}-{network}.tsv"
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code("sanity_sheet"),
    message:
        "Show maps of {wildcards.network} on {wildcards.task} while its weights become random"
    script:
        "../workflow_scripts/sanity_sheet.py"
