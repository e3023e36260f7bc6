"""Measuring likeness: scorers as rows, embeddings, calibrated cuts.

Imitation scores and verdicts on concepts.
"""
