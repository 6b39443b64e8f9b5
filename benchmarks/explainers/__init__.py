"""Other ways to say which past items drove a recommendation, to hold the library's against.

Each gives every position of a history a number; larger: speaks more for the item. All are given the same model.
"""
