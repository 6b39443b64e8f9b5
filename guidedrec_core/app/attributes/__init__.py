"""The Attributes page: which scores can we trust, and how are they made?"""
