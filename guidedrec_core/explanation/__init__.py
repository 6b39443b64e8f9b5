"""Why an item stands where it stands: the exact ledger of a score, contrasts, rank changes, Shapley values of past
items, why an item is not listed, steering and counterfactuals.
"""
