"""DuckDB's own reader of S3 and the hub, where its extension has been installed; never installed by us.

Listing and footers always go through fsspec, so that a place has one meaning, one digest and one set of
messages; only the scan is DuckDB's.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache, partial
from urllib.parse import urlsplit

import duckdb

from corpus.session import sql
from corpus.sources.places import has_wildcard, protocol_of

HUB = "https://huggingface.co"
_AWS = ".amazonaws.com"


@dataclass(frozen=True, slots=True)
class S3Access:
    """How to reach a bucket.

    Attributes:
        region: The bucket's region, as configured; empty: not stated.
        key: The access key's id; empty with `secret` and `token` for a public bucket.
        secret: The access key.
        token: The session's token; empty without a session.
        endpoint: Host and port of a server of one's own; empty for AWS.
        ssl: Whether that server speaks TLS.
    """

    region: str
    key: str
    secret: str
    token: str
    endpoint: str
    ssl: bool


@cache
def installed() -> bool:
    """Tell whether the extension has been installed for this version of DuckDB."""
    with duckdb.connect() as session:
        row = session.execute(sql("httpfs_installed")).fetchone()
    return bool(row and row[0])


def serves(location: str) -> bool:
    """Tell whether a shard is to be scanned through the extension.

    Not when its name holds wildcards, which DuckDB takes for such, nor from a hub of one's own: the
    extension knows the public one alone.
    """
    protocol = protocol_of(location)
    if has_wildcard(location) or protocol not in {"s3", "hf"}:
        return False
    own_hub = os.environ.get("HF_ENDPOINT", HUB).rstrip("/") != HUB
    return not (protocol == "hf" and own_hub) and installed()


def preparation(location: str) -> Callable[[duckdb.DuckDBPyConnection], None]:
    """Return what makes a session able to read a shard: the extension loaded and the credentials known."""
    return partial(_prepare, location)


def _prepare(location: str, session: duckdb.DuckDBPyConnection) -> None:
    session.execute(sql("load_httpfs"))
    if protocol_of(location) == "hf":
        from huggingface_hub import get_token

        if token := get_token():
            session.execute(sql("secret_hub"), {"token": token})
        return
    statement, values = s3_secret(location, s3_access())
    session.execute(sql(statement), values)


def s3_secret(location: str, access: S3Access) -> tuple[str, dict[str, str | bool]]:
    """Return the SQL file that makes a bucket's secret, and its parameters."""
    values: dict[str, str | bool] = {"scope": f"s3://{urlsplit(location).netloc}", **asdict(access)}
    if access.endpoint:
        return "secret_s3_endpoint", values
    del values["endpoint"], values["ssl"]
    return "secret_s3", values


def s3_access() -> S3Access:
    """Return how S3 is reached, by the environment and the profile; asks no server but for credentials."""
    from botocore.session import Session

    session = Session()
    found = session.get_credentials()
    credentials = found.get_frozen_credentials() if found is not None else None
    meta = session.create_client("s3", region_name=session.get_config_variable("region") or "us-east-1").meta
    address = urlsplit(meta.endpoint_url)
    own = not (address.hostname or "").endswith(_AWS)
    return S3Access(
        region=meta.region_name,
        key=credentials.access_key if credentials else "",
        secret=credentials.secret_key if credentials else "",
        token=(credentials.token or "") if credentials else "",
        endpoint=address.netloc if own else "",
        ssl=address.scheme == "https",
    )
