"""Facts, charts and pages of the report: numbers and image bytes in, text out."""
