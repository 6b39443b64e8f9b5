"""The two maps of the catalogue: what colours them, points or a raster of many, labels, moves and marks."""
