"""What a page may do: a policy that lets nothing in but its own style, script and pictures."""

from __future__ import annotations

import base64
import hashlib

from markupsafe import Markup


def content_policy(style: str, script: str = "") -> Markup:
    """Return the Content-Security-Policy of a page that loads nothing.

    Style and script are named by their SHA-256 digests (CSP level 2), so that whatever else came into the
    page as an element, an attribute or an event handler is refused by the browser.

    Args:
        style: what stands between ``<style>`` and ``</style>``, to the character.
        script: what stands in the page's one script; empty: no script may run.
    """
    rules = ["default-src 'none'", "img-src data:", f"style-src {_named(style)}"]
    if script:
        rules.append(f"script-src {_named(script)}")
    whole = "; ".join((*rules, "base-uri 'none'", "form-action 'none'"))
    return Markup(whole)  # noqa: S704 - words of the standard and digests


def _named(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
    return f"'sha256-{digest}'"
