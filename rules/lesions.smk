# Scores against lesions: sets of photographs with masks, maps of the final runs on them, and how well
# these find the lesions, beside what needs no network.


rule drawn_lesions:
    input:
        manifest="results/{study}/manifest.csv",
        split="results/{study}/splits/{task}.csv",
        masks=drawn_masks,
    output:
        table="results/{study}/lesions/synthetic/{task}/photographs.csv",
    log:
        "results/{study}/logs/drawn_lesions/{task}.log",
    benchmark:
        "results/{study}/benchmarks/drawn_lesions/{task}.tsv"
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        code=code("drawn_lesions"),
        test=parts_of("test", studies.folds(config)[0]),
        photographs=config["lesions"]["photographs"],
        seed=config["seed"],
    message:
        "Find the synthetic photographs with masks of {wildcards.task}"
    script:
        "../workflow_scripts/drawn_lesions.py"


rule lesion_set:
    input:
        study="results/{study}/manifest.csv",
    output:
        table="results/{study}/lesions/{lesion_set}/{task}/photographs.csv",
    log:
        "results/{study}/logs/lesion_set/{lesion_set}/{task}.log",
    benchmark:
        "results/{study}/benchmarks/lesion_set/{lesion_set}/{task}.tsv"
    wildcard_constraints:
        lesion_set="|".join(config["lesions"]["sets"]) or "none",
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=120,
    params:
        code=code("lesion_set"),
        folders=lambda wildcards: config["lesions"]["sets"][wildcards.lesion_set],
        listing=lesion_listing,
        photographs=config["lesions"]["photographs"],
        seed=config["seed"],
    message:
        "Find the photographs of {wildcards.lesion_set} with masks"
    script:
        "../workflow_scripts/lesion_set.py"


# Masks apart from photographs: an edited mask needs no other map.
rule lesion_marks:
    input:
        photographs="results/{study}/lesions/{lesion_set}/{task}/photographs.csv",
        folders=ancient(mask_inputs(synthetic_folders)),
        # What tells of changes in the folders: the hashes of what was drawn.
        drawn=mask_inputs(drawn_masks),
    output:
        table="results/{study}/lesions/{lesion_set}/{task}/masks.csv",
        marks="results/{study}/lesions/{lesion_set}/{task}/marks.h5",
    log:
        "results/{study}/logs/lesion_marks/{lesion_set}/{task}.log",
    benchmark:
        "results/{study}/benchmarks/lesion_marks/{lesion_set}/{task}.tsv"
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=120,
    params:
        code=code("lesion_marks"),
        folders=mask_folders,
        listing=mask_listing,
    message:
        "Put the masks of {wildcards.lesion_set}, {wildcards.task}, on the grid"
    script:
        "../workflow_scripts/lesion_marks.py"


rule lesion_maps:
    input:
        photographs="results/{study}/lesions/{lesion_set}/{task}/photographs.csv",
        weights=lesion_weights,
        trained=lesion_trained,
        record=shown_file("record.json"),
    output:
        maps="results/{study}/lesions/{lesion_set}/{task}/{network}-{size}-{weights}.h5",
    log:
        "results/{study}/logs/lesion_maps/{lesion_set}/{task}/{network}-{size}-{weights}.log",
    benchmark:
        "results/{study}/benchmarks/lesion_maps/{lesion_set}/{task}/{network}-{size}-{weights}.tsv"
    wildcard_constraints:
        weights="trained|random",
    conda:
        "../envs/tensorflow.yaml"
    threads: 2
    resources:
        gpu=1,
        mem_mb=6000,
        runtime=120,
    params:
        code=code("lesion_maps"),
        run=lambda wildcards: lesion_run(wildcards).address,
        contrast=config["photographs"]["contrast"],
        samples=config["saliency"]["samples"],
    message:
        "Explain {wildcards.network} at {wildcards.size} px, {wildcards.weights}, on {wildcards.lesion_set}, {wildcards.task}"
    script:
        "../workflow_scripts/lesion_maps.py"


rule lesion_scores:
    input:
        maps="results/{study}/lesions/{lesion_set}/{task}/{network}-{size}-{weights}.h5",
        photographs="results/{study}/lesions/{lesion_set}/{task}/photographs.csv",
        marks="results/{study}/lesions/{lesion_set}/{task}/marks.h5",
    output:
        scores="results/{study}/lesions/{lesion_set}/{task}/{network}-{size}-{weights}.csv",
    log:
        "results/{study}/logs/lesion_scores/{lesion_set}/{task}/{network}-{size}-{weights}.log",
    benchmark:
        "results/{study}/benchmarks/lesion_scores/{lesion_set}/{task}/{network}-{size}-{weights}.tsv"
    wildcard_constraints:
        weights="trained|random",
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=60,
    params:
        code=code("lesion_scores"),
    message:
        "Score {wildcards.network} at {wildcards.size} px, {wildcards.weights}, on {wildcards.lesion_set}, {wildcards.task}"
    script:
        "../workflow_scripts/lesion_scores.py"


rule lesion_controls:
    input:
        photographs="results/{study}/lesions/{lesion_set}/{task}/photographs.csv",
        marks="results/{study}/lesions/{lesion_set}/{task}/marks.h5",
    output:
        scores="results/{study}/lesions/{lesion_set}/{task}/controls.csv",
    log:
        "results/{study}/logs/lesion_controls/{lesion_set}/{task}.log",
    benchmark:
        "results/{study}/benchmarks/lesion_controls/{lesion_set}/{task}.tsv"
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        code=code("lesion_controls"),
    message:
        "Score what needs no network on {wildcards.lesion_set}, {wildcards.task}"
    script:
        "../workflow_scripts/lesion_controls.py"


rule localisation_table:
    input:
        scores=[
            f"results/{config['study']}/lesions/{name}/{run.task}/{run.network}-{run.size}-{weights}.csv"
            for name, weights, run in LESION_CASES
        ],
        records=[
            f"results/{config['study']}/runs/{run.address}/record.json"
            for _, _, run in LESION_CASES
        ],
        controls=collect(
            "results/{{study}}/lesions/{lesion_set}/{task}/controls.csv",
            lesion_set=LESION_SETS,
            task=config["studies"]["networks"]["tasks"],
        ),
    output:
        table=report(
            "results/{study}/tables/localisation.csv",
            caption="../report/localisation.rst",
            category="5 Where it looks",
            labels={"table": "localisation: how well maps find lesions"},
        ),
        markdown="results/{study}/tables/localisation.md",
        differences=report(
            "results/{study}/tables/localisation_differences.csv",
            caption="../report/localisation_differences.rst",
            category="5 Where it looks",
            labels={
                "table": "localisation: against controls, and large against small"
            },
        ),
        differences_markdown="results/{study}/tables/localisation_differences.md",
    log:
        "results/{study}/logs/localisation_table.log",
    benchmark:
        "results/{study}/benchmarks/localisation_table.tsv"
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        code=code("localisation_table"),
        cases=[(name, weights, run.address) for name, weights, run in LESION_CASES],
        controls=[
            (name, task)
            for name in LESION_SETS
            for task in config["studies"]["networks"]["tasks"]
        ],
        seed=config["seed"],
        repetitions=config["evaluation"]["repetitions"],
    message:
        "Make the table of how well maps find lesions"
    script:
        "../workflow_scripts/localisation_table.py"


rule localisation_figure:
    input:
        table="results/{study}/tables/localisation.csv",
    output:
        figure=report(
            "results/{study}/figures/localisation.png",
            caption="../report/localisation_figure.rst",
            category="5 Where it looks",
            labels={"figure": "how well maps find lesions"},
        ),
    log:
        "results/{study}/logs/localisation_figure.log",
    benchmark:
        "results/{study}/benchmarks/localisation_figure.tsv"
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        code=code("localisation_figure"),
    message:
        "Draw how well maps find lesions"
    script:
        "../workflow_scripts/localisation_figure.py"


rule lesion_sheet:
    input:
        photographs="results/{study}/lesions/{lesion_set}/{task}/photographs.csv",
        masks="results/{study}/lesions/{lesion_set}/{task}/masks.csv",
        marks="results/{study}/lesions/{lesion_set}/{task}/marks.h5",
        maps=collect(
            "results/{{study}}/lesions/{{lesion_set}}/{{task}}/{{network}}-{size}-trained.h5",
            size=[SMALL, LARGE],
        ),
        record=shown_file("record.json", LARGE),
    output:
        figure=report(
            "results/{study}/figures/lesions/{lesion_set}-{task}-{network}.png",
            caption="../report/lesions.rst",
            category="5 Where it looks",
            labels={"figure": "{network}, {task}: maps and lesions of {lesion_set}"},
        ),
    log:
        "results/{study}/logs/lesion_sheet/{lesion_set}-{task}-{network}.log",
    benchmark:
        "results/{study}/benchmarks/lesion_sheet/{lesion_set}-{task}-{network}.tsv"
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=10,
    params:
        code=code("lesion_sheet"),
    message:
        "Show where {wildcards.network} looks and where the lesions of {wildcards.lesion_set} are, {wildcards.task}"
    script:
        "../workflow_scripts/lesion_sheet.py"
