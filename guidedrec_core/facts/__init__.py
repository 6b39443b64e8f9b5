"""Facts: what is known about items besides scored attributes, as numeric columns with names.

They come from the catalogue, and from when and how often people interact with items.
"""
