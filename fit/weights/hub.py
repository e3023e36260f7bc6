"""Why something cannot be had from the hub, in one line that says what to accept, download or check."""

from __future__ import annotations

from collections.abc import Iterator

from corpus.sources.places import redact

LOGIN = "log in with `hf auth login`"


def why_not(repo: str, error: BaseException, gated: bool = False) -> str:
    """Return why a repository, or a file of it, cannot be had.

    Args:
        repo: ``owner/name``.
        error: What the hub's client, or a library on top of it, raised.
        gated: Whether the repository is known to ask for conditions to be accepted.
    """
    from huggingface_hub import errors

    page = f"https://huggingface.co/{repo}"
    accept = f"{repo}: gated; accept its conditions at {page}, then {LOGIN}"
    chain = list(_causes(error))
    kinds = {kind for kind in _told() if any(isinstance(each, getattr(errors, kind)) for each in chain)}
    if "GatedRepoError" in kinds:
        return accept
    if "RevisionNotFoundError" in kinds:
        return f"{repo}: the hub has no such revision; see {page}/commits"
    if "DisabledRepoError" in kinds:
        return f"{repo}: the hub has disabled it; name another model"
    if "RepositoryNotFoundError" in kinds:
        private = accept if gated else f"{repo}: not on the hub (removed, renamed or private)"
        return private if gated else f"{private}; if it is private, {LOGIN}"
    if _offline() or "OfflineModeIsEnabled" in kinds:
        what = f"not in the hub's cache ({_cache()}), and the hub is not asked (HF_HUB_OFFLINE)"
        return f"{repo}: {what}; fetch it where there is a network: hf download {repo}"
    return f"{repo}: cannot be fetched from the hub or its cache ({first_line(error)}); try again"


def first_line(error: BaseException) -> str:
    """Return an error's first line without secrets, with the second where the first only announces it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return redact(" ".join(lines[:2]) if lines[0].endswith(":") else lines[0])


def _told() -> tuple[str, ...]:
    return (
        "GatedRepoError",
        "RevisionNotFoundError",
        "DisabledRepoError",
        "RepositoryNotFoundError",
        "OfflineModeIsEnabled",
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all that led to it, each once."""
    waiting, seen = [error], set()
    while waiting:
        each = waiting.pop()
        if id(each) not in seen:
            seen.add(id(each))
            yield each
            waiting += [other for other in (each.__cause__, each.__context__) if other is not None]


def _offline() -> bool:
    from huggingface_hub import constants

    return bool(constants.is_offline_mode())


def _cache() -> str:
    from huggingface_hub import constants

    return str(constants.HF_HUB_CACHE)
