"""Which past items a score comes from: Shapley values of the history, attention, and the order in which removing past
items changes the recommendation most.
"""
