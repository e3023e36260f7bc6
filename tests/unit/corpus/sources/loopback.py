"""Servers on loopback that count what they send: an S3 (moto), a small hub, and plain files."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@dataclass
class Watched:
    """What a server was asked and sent; and what it is to answer instead, once for each.

    Attributes:
        requests: Method, path, ``Range`` header and ``Authorization`` header of each request.
        sent: Bytes of answers' bodies.
        instead: For the next ranges of files: status codes, ``"short"`` for half a body, ``"long"`` for two,
            or ``"hang"`` for none.
        url: Where the server is.
    """

    app: Application
    requests: list[tuple[str, str, str, str]] = field(default_factory=list)
    sent: int = 0
    instead: list[int | str] = field(default_factory=list)
    url: str = ""
    released: threading.Event = field(default_factory=threading.Event)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:
        asked = Request(environ)
        part, credentials = asked.headers.get("Range", ""), asked.headers.get("Authorization", "")
        self.requests.append((asked.method, asked.path, part, credentials))
        odd = self.instead.pop(0) if part and self.instead else None
        if isinstance(odd, int):
            yield from Response(f"status {odd}", odd)(environ, start_response)
            return
        body = b"".join(self.app(environ, start_response))
        if odd == "hang":
            self.released.wait(60)
        body = {"short": body[: len(body) // 2], "long": body + body}.get(str(odd), body)
        self.sent += len(body)
        yield body

    def ranges(self) -> list[str]:
        """Return the ranges that were asked for."""
        return [part for _, _, part, _ in self.requests if part]


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *_: Any, **__: Any) -> None:
        pass


@contextmanager
def serve(app: Application) -> Iterator[Watched]:
    """Run a server on loopback while the block runs."""
    watched = Watched(app)
    server = make_server("127.0.0.1", 0, watched, threaded=True, request_handler=_Quiet)
    watched.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield watched
    finally:
        watched.released.set()
        server.shutdown()
        thread.join()
        server.server_close()


def s3_app() -> Application:
    """Return moto's S3."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    return DomainDispatcherApplication(create_backend_app)


class FileApp:
    """Plain files, in ranges on request."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        asked = Request(environ)
        content = self.files.get(asked.path)
        answer = Response("absent", 404) if content is None else _ranged(asked, content)
        return answer(environ, start_response)


class HubApp:
    """What `huggingface_hub` and `datasets` ask a hub for, of data sets with one commit.

    Attributes:
        data_sets: Path in the data set -> content, by the data set's name.
        token: The token that is needed; empty: none.
        commits: The commit of each data set, by its name.
    """

    def __init__(self, data_sets: dict[str, dict[str, bytes]], token: str = "") -> None:
        self.data_sets, self.token = data_sets, token
        self.commits = {name: hashlib.sha1(name.encode()).hexdigest() for name in data_sets}  # noqa: S324
        self.absent: list[str] = []

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        return self.answer(Request(environ))(environ, start_response)

    def answer(self, asked: Request) -> Response:
        if self.token and asked.headers.get("Authorization") != f"Bearer {self.token}":
            if "Authorization" in asked.headers:
                return _problem(401, "", "Invalid credentials in Authorization header")
            return _problem(401, "RepoNotFound", "Invalid username or password.")
        for pattern, act in (
            (r"/api/datasets/(\w+/\w+)(?:/revision/([^/]+))?", self._info),
            (r"/api/datasets/(\w+/\w+)/tree/([^/]+)(?:/(.+))?", self._tree),
            (r"/api/datasets/(\w+/\w+)/paths-info/([^/]+)", self._paths),
            (r"/datasets/(\w+/\w+)/resolve/([^/]+)/(.+)", self._file),
        ):
            if (found := re.fullmatch(pattern, asked.path)) is not None:
                name, revision, *rest = found.groups()
                if name not in self.data_sets:
                    return _problem(404, "RepoNotFound", "Repository not found")
                if revision not in {None, "main", self.commits[name]}:
                    return _problem(404, "RevisionNotFound", f"Invalid rev id: {revision}")
                return act(asked, name, *rest)
        self.absent.append(asked.path)
        return _problem(404, "EntryNotFound", "Not found")

    def _info(self, _: Request, name: str) -> Response:
        siblings = [{"rfilename": path} for path in sorted(self.data_sets[name])]
        return _json(
            {"id": name, "sha": self.commits[name], "siblings": siblings, "tags": [], "private": False}
        )

    def _tree(self, asked: Request, name: str, folder: str | None) -> Response:
        inside = f"{folder}/" if folder else ""
        deep = asked.args.get("recursive", "").lower() == "true"
        entries: dict[str, dict[str, Any]] = {}
        for path, content in sorted(self.data_sets[name].items()):
            if not path.startswith(inside):
                continue
            parts = path.removeprefix(inside).split("/")
            for depth in range(1, len(parts)):
                above = inside + "/".join(parts[:depth])
                if deep or depth == 1:
                    entries[above] = {"type": "directory", "path": above, "oid": "0" * 40, "size": 0}
            if deep or len(parts) == 1:
                entries[path] = _entry(path, content)
        return _json(list(entries.values())) if entries else _problem(404, "EntryNotFound", "Not found")

    def _paths(self, asked: Request, name: str) -> Response:
        wanted = asked.get_json()["paths"] if asked.is_json else asked.form.getlist("paths")
        files = self.data_sets[name]
        entries = [_entry(path, files[path]) for path in wanted if path in files]
        folders = [path for path in wanted if any(each.startswith(f"{path}/") for each in files)]
        entries += [{"type": "directory", "path": path, "oid": "0" * 40, "size": 0} for path in folders]
        return _json(entries)

    def _file(self, asked: Request, name: str, path: str) -> Response:
        content = self.data_sets[name].get(path)
        if content is None:
            return _problem(404, "EntryNotFound", "Entry not found")
        answer = _ranged(asked, content)
        answer.headers["X-Repo-Commit"] = self.commits[name]
        answer.headers["ETag"] = f'"{hashlib.sha1(content).hexdigest()}"'  # noqa: S324
        return answer


def _entry(path: str, content: bytes) -> dict[str, Any]:
    oid = hashlib.sha1(content).hexdigest()  # noqa: S324
    return {"type": "file", "path": path, "size": len(content), "oid": oid}


def _json(value: Any) -> Response:
    return Response(json.dumps(value), content_type="application/json")


def _problem(status: int, code: str, message: str) -> Response:
    return Response(
        json.dumps({"error": message}),
        status,
        headers={"X-Error-Code": code, "X-Error-Message": message},
        content_type="application/json",
    )


def _ranged(asked: Request, content: bytes) -> Response:
    part = re.fullmatch(r"bytes=(\d+)-(\d*)", asked.headers.get("Range", ""))
    headers = {"Accept-Ranges": "bytes"}
    if part is None:
        return Response(content, headers=headers)
    start, end = int(part[1]), min(int(part[2] or len(content) - 1), len(content) - 1)
    headers["Content-Range"] = f"bytes {start}-{end}/{len(content)}"
    return Response(content[start : end + 1], 206, headers=headers)
