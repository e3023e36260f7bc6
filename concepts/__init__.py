"""The vocabulary: concepts, their domains and lists, and the rule when a caption names one.

Imports nothing of ours. Names, prompts and lists are rows in ``domains/`` and ``lists/``.
"""
