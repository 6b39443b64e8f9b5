"""Models that know indexes only: sequence encoders, external vectors, item-kNN, EASE and popularity."""
