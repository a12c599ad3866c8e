# One page to read it all. `snakemake --report` adds to it how every figure was made.


# What the page says of its tables and figures is what the report says of them.
CAPTIONS = sorted(path.stem for path in Path(workflow.basedir, "report").glob("*.rst"))

# What the study costs: jobs of the rules up to here. Those below come after the count, or beside it.
COUNTED = [rule.name for rule in workflow.rules]


rule summary:
    input:
        levels="results/{study}/tables/levels.csv",
        rejects="results/{study}/rejects.csv",
        proofs=collect("results/{{study}}/splits/{task}_proof.csv", task=TASKS),
        subsets=collect("results/{{study}}/subsets/{task}.json", task=TASKS),
        tables=collect(
            "results/{{study}}/tables/{name}.csv",
            name=[
                "network_facts",
                "fellow_eye",
                "baselines",
                "sweep",
                "regularisation",
                "regularisation_steadiness",
                "depth",
                "depth_cuts",
                "depth_test",
                "networks",
                "comparisons",
                "flips",
                "flip_tests",
                "localisation",
                "localisation_differences",
                "randomisation",
                "deletion",
                "class_swap",
                "initialisation",
                "learning_curve",
                "leakage",
                "operating_points",
                "calibration",
                "slices",
                "ensembles",
                "external",
            ],
        ),
        seeds=collect(
            "results/{{study}}/tables/{name}_seeds.csv",
            name=[
                "sweep",
                "regularisation",
                "depth",
                "depth_test",
                "networks",
                "initialisation",
                "learning_curve",
                "leakage",
            ],
        ),
        recommendations=collect(
            "results/{{study}}/tables/{name}_recommendation.csv",
            name=["sweep", "regularisation", "depth"],
        ),
        figures=collect(
            "results/{{study}}/figures/{name}.png",
            name=[
                "blocks",
                "levels",
                "examples",
                "sweep",
                "regularisation",
                "depth",
                "networks",
                "initialisation",
                "learning_curve",
                "leakage",
                "roc",
                "precision_recall",
                "confusion",
                "reliability",
                "comparisons",
                "localisation",
                "randomisation",
                "deletion",
            ],
        ),
        saliency=final_figures(
            "results/{study}/figures/saliency/{task}-{network}-{size}.png",
            size=config["studies"]["networks"]["sizes"],
        ),
        saliency_sizes=final_figures(
            "results/{study}/figures/saliency_sizes/{task}-{network}.png"
        ),
        lesions=final_figures(
            "results/{study}/figures/lesions/{lesion_set}-{task}-{network}.png",
            lesion_set=LESION_SETS,
        ),
        sanity=final_figures("results/{study}/figures/sanity/{task}-{network}.png"),
        flips=final_figures("results/{study}/figures/flips/{task}-{network}.png"),
        benchmarks="results/{study}/tables/benchmarks.csv",
        captions=collect("report/{name}.rst", name=CAPTIONS),
    output:
        page=report(
            "results/{study}/summary.html",
            caption="../report/summary.rst",
            category="0 Summary",
            labels={"page": "the whole study"},
        ),
    log:
        "results/{study}/logs/summary.log",
    benchmark:
        "results/{study}/benchmarks/summary.tsv"
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code("summary"),
        source=config["source"]["kind"],
    message:
        "Write the summary of the study {wildcards.study}"
    script:
        "../workflow_scripts/summary.py"


rule benchmarks_table:
    """Count what Snakemake measured of the jobs, after all of which the page is made.

    Its inputs make it run after them; what was measured is no output of theirs, and is looked for.
    """
    input:
        made=[
            files
            for name, files in rules.summary.input.items()
            if name not in ("benchmarks", "captions")
        ],
    output:
        table=report(
            "results/{study}/tables/benchmarks.csv",
            caption="../report/benchmarks.rst",
            category="0 Summary",
            labels={"table": "what the jobs cost"},
        ),
        markdown="results/{study}/tables/benchmarks.md",
    log:
        "results/{study}/logs/benchmarks_table.log",
    benchmark:
        "results/{study}/benchmarks/benchmarks_table.tsv"
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code("benchmarks_table"),
        folder="results/{study}/benchmarks",
        rules=COUNTED,
    message:
        "Make the table of what the jobs cost"
    script:
        "../workflow_scripts/benchmarks_table.py"
