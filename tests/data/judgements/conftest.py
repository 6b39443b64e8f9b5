"""Fixtures of the tests of judgements."""

from web import file_server  # noqa: F401
