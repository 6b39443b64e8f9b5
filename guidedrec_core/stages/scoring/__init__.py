"""Stages around guided scores: scoring by a language model, one request or one batch at a time, repeated passes,
overrides, and listings that are not in the catalogue yet.
"""
