"""Guided embedding refinement: the guided embedding, guided profiles, the additive and the literal model, the head,
controls and cold items.
"""
