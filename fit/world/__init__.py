"""The demo world: a small corpus, model and scorer whose truth is known."""
