"""The gate: a candidate prompt or model held against a frozen gold version before it ships.

`checks` judges one answer, `verdict` sums a run up against the thresholds and the last accepted run, `runs` takes results
in, `assessing` is a worker's go at them. Nothing here asks a model; a judge, where one is configured, is asked by `judge`.
"""
