"""Backup and restore of a home: one ZIP file with runs, databases and all that people brought, checked by SHA-256."""
