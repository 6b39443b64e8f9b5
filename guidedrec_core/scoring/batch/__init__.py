"""Scoring through a server's batch interface, at half the price and within a day: files, their store, and the loop that
submits and collects them.
"""
