"""The `guidedrec` command line."""
