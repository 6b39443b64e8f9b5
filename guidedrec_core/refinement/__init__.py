"""Guided embedding refinement (arXiv 2504.11658).

The guided embedding of items (`guided`) and guided profiles of users (`profiles`); the refined model in its three
forms, each file with its formulas (`additive`, `literal`, `head`), and what they have in common (`refined`); where an
attribute's part of a score comes from (`sources`); what a control puts in place of the scores (`controls`); items
without training events (`cold`).
"""
