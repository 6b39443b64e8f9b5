"""Exact explanations of a score."""
