"""Rationales: why an item is recommended, told in prose, every claim tied to a fact that was computed."""
