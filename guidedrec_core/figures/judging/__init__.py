"""Figures about tests put to people: what judges preferred, and how well they predicted."""
