"""The Items page: how do the model and shoppers see this item, and how would a new one perform?"""
