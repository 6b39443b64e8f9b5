"""The page for judges, which has an address of its own and fits a phone, and the results of a test."""
