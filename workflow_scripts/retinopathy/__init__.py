"""Retinopathy: what the workflow computes, apart from how its jobs are run.

The modules are typed functions of paths and values and know nothing of Snakemake. Importing the
package itself imports nothing, so that each script loads only what it uses.
"""
