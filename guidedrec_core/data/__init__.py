"""Interactions, catalogues and splits: what was bought, when, and by whom."""
