"""Migrations of the database, run by Alembic when a database of an earlier version is opened; see `upgrade`."""
