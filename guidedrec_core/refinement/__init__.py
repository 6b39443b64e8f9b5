"""Guided embedding refinement (arXiv 2504.11658)."""
