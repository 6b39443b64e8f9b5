"""Item vectors: tables that users bring (`table`, `files`), vectors of the listings' texts (`text`), and PCA."""
