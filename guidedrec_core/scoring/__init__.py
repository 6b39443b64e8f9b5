"""Scoring a catalogue with a language model: prompts, requests, replies and their cache, rate limits and prices, the
scorer, recorded and offline scorers.
"""
