"""Steering: pulling a list towards an attribute, by slider or by a wish in words, and what becomes of the list."""
