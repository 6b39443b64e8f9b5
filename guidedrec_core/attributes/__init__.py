"""Attribute schemas and guided scores."""
