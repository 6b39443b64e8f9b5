"""Checks: named pass or fail rules over the lists of a refined run, for people and for continuous integration."""
