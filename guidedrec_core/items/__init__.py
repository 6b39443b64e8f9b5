"""One item under study: how the models and the shoppers see it, search in the catalogue, and how a new item would
perform.
"""
