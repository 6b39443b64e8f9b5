"""Naming a score: what of it belongs to attributes and facts, exactly, and what no name covers."""
