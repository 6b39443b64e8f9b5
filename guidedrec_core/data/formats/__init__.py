"""File formats of interactions and catalogues: one module a family, each giving rows under the canonical names."""
