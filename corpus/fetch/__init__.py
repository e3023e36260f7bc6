"""Fetching the images behind a sample of captions: politely, safely, and into shards that can be resumed."""

from corpus.fetch.addresses import AddressRules, parse_networks
from corpus.fetch.fetching import Checker, Tools, fetch
from corpus.fetch.outcomes import Refusal, Status
from corpus.fetch.policy import Limits, Manners, Policy, keeping_digest
from corpus.fetch.shards import Wanted

__all__ = [
    "AddressRules",
    "Checker",
    "Limits",
    "Manners",
    "Policy",
    "Refusal",
    "Status",
    "Tools",
    "Wanted",
    "fetch",
    "keeping_digest",
    "parse_networks",
]
