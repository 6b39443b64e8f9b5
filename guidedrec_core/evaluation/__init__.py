"""Ranking metrics, controls and intervals."""
