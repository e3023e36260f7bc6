"""Counting: corpora as rows, caption shards, the caption engine, the images of rows.

Imports `concepts` alone.
"""
