"""Openly licensed images of people and works, from Wikidata and Wikimedia Commons, by public interfaces."""

from corpus.commons.collect import Found, OpenImage, collect
from corpus.commons.routes import Endpoints, Route, load_route

__all__ = ["Endpoints", "Found", "OpenImage", "Route", "collect", "load_route"]
