"""Comparison: what changed between two refined runs of the same data: lists, ranking quality, scores, names."""
