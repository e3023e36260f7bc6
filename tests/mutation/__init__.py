"""Mutation testing: small faults are put into the code one at a time, and a test should notice each.

``python -m tests.mutation`` (or ``make mutants``) goes on where it was stopped; see ``__main__``.
"""
