"""Counterfactuals: the smallest change of a history, of a user's taste or of an item's scores that changes a
recommendation.
"""
