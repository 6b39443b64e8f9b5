"""What the documentation site makes at build time: tables from measured results, the command line, the Python API."""
