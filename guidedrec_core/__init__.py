"""guidedrec: interpretability case studies of sequential recommenders.

The package root loads nothing heavy; import the module you need, e.g. ``from guidedrec_core import stages``.
"""

__version__ = "0.1.0"
