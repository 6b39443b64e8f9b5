"""The Item map page: what moved, and why?"""
