"""Fixtures of the tests of files."""

from web import file_server  # noqa: F401
