"""How good recommenders are: metrics, intervals by bootstrap over users, baselines, slices, ablations, and the verdicts
put into words.
"""
