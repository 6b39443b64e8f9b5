"""Figures about groups of users and items: who is shown what, segments, and shelves."""
