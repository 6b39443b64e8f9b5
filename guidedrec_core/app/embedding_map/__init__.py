"""The Embedding map page: what moved, and why?"""
