"""Fernway Outfitters, the fictional shop that ships with the package: the shop, its simulated shoppers, and the files
they write.
"""
