"""Maps of the item spaces: layout (UMAP), neighbours in the original spaces, and the item map that the app draws."""
