"""Sampling images: models as rows, requests (concept x prompt x index) to images."""
