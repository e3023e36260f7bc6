"""Weights on disk, whatever they are of: digests, and pickles turned into safetensors."""
