"""Audits of explanations: are they faithful, stable, true to their labels, and do they recover planted truth?"""
