"""Fixtures of the tests of reading."""
