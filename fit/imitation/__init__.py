"""Measuring likeness: scorers as rows, embeddings, calibrated cuts, imitation scores and verdicts on concepts."""
