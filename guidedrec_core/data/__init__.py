"""Interactions, catalogue and splits: reading and importing them, histories as arrays, ids, and the data sets that ship
or can be fetched.
"""
