"""Runs on disk: immutable, checksummed folders (`store`, `files`, `manifest`), what is stored (`library`), and whether
the process that wrote something still lives (`processes`).
"""
