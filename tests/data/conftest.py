"""Fixtures of the data tests."""

from web import file_server  # noqa: F401
