"""The Item map page: what moved between the base and the refined space, and why?"""
