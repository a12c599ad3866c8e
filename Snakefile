from snakemake.utils import min_version

min_version("9.0")


configfile: "config.yaml"


include: "rules/common.smk"
include: "rules/addresses.smk"
include: "rules/acquire.smk"
include: "rules/manifest.smk"
include: "rules/split.smk"
include: "rules/records.smk"
include: "rules/external.smk"
include: "rules/baselines.smk"
include: "rules/features.smk"
include: "rules/runs.smk"
include: "rules/scores.smk"
include: "rules/networks.smk"
include: "rules/studies.smk"
include: "rules/learning.smk"
include: "rules/curves.smk"
include: "rules/evaluation.smk"
include: "rules/comparisons.smk"
include: "rules/saliency.smk"
include: "rules/flips.smk"
include: "rules/lesions.smk"
include: "rules/sanity.smk"
include: "rules/report.smk"
include: "rules/predict.smk"


# The whole study. `snakemake --report` then makes one page of it.
rule all:
    default_target: True
    input:
        f"results/{config['study']}/summary.html",
