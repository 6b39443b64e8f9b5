"""The Audience page: who gets this, and should they?"""
