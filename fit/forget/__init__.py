"""``fit forget``: everything about a person, or any other concept, deleted from runs."""
