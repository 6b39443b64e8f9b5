"""The command line: one module per command, and what they share. It imports the library and is imported by nothing."""
