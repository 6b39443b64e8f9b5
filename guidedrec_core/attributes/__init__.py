"""What is scored: the schema of attributes with the meaning of both ends, templates for common domains, drafts,
raw scores, and overrides by hand.
"""
