"""Shelves: the catalogue as a model sees it, by residual quantisation of item vectors."""
