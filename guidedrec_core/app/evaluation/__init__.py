"""The Evaluation page: is it really better, and for whom?"""
