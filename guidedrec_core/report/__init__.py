"""Reports to hand over: what a page says, as one document that opens anywhere, offline; views in, files out."""
