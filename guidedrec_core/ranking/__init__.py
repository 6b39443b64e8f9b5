"""Ranking the catalogue: exact ranks and top lists, recommendation tables, and retrieval for one user at a time."""
