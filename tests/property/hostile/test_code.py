"""Nothing in the packages runs a shell, a text or a pickle: read from the syntax trees of all modules."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

MODULES = [
    path for package in ("concepts", "corpus", "fit") for path in sorted((ROOT / package).rglob("*.py"))
]

BETWEEN_OUR_PROCESSES = "corpus/executors/"
"""The one place where pickles are read: what a process has sent to another that it has started itself."""

SHELLS = {
    "eval",
    "exec",
    "compile",
    "os.system",
    "os.popen",
    "os.execv",
    "os.execvp",
    "os.spawnv",
    "pty.spawn",
}
SHELLS |= {"subprocess.getoutput", "subprocess.getstatusoutput", "asyncio.create_subprocess_shell"}
PICKLES = {"pickle.load", "pickle.loads", "pickle.Unpickler", "marshal.loads", "marshal.load", "shelve.open"}
PICKLES |= {"cloudpickle.loads", "joblib.load", "dill.loads", "pd.read_pickle", "ray.cloudpickle.loads"}
UNPACKERS = ("extract", "extractall", "unpack_archive")
SQL = {"execute", "executemany", "sql", "query", "from_query", "SQLExpression"}


def found(source: str, place: str = "fit/x.py") -> list[str]:
    """What a module may not do, each with its line."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [f"{place}:{call.lineno}: {what}" for call in calls for what in _wrong(call, place)]


def _wrong(call: ast.Call, place: str) -> Iterator[str]:
    name, given = ast.unparse(call.func), {each.arg: each.value for each in call.keywords}
    last = name.rpartition(".")[2]
    for what, is_so in (
        ("runs a text", name in SHELLS),
        ("runs what it reads", name in PICKLES and not place.startswith(BETWEEN_OUR_PROCESSES)),
        ("makes any object", name.startswith("yaml.") and name != "yaml.safe_load"),
        ("a shell", not _is(given.get("shell"), False, absent=True)),
        ("a command that is a text", name.startswith("subprocess.") and _is_text(call)),
        ("a pickle", name.endswith("torch.load") and not _is(given.get("weights_only"), True)),
        ("objects", name in {"np.load", "numpy.load"} and not _is(given.get("allow_pickle"), False)),
        ("weights that may be a pickle", not _is(given.get("use_safetensors"), True, absent=True)),
        ("a model's code", not _is(given.get("trust_remote_code"), False, absent=True)),
        ("unpacked unseen", last in UNPACKERS),
        ("SQL that is no file", last in SQL and name != "sql" and not _is_fixed(call, place)),
    ):
        if is_so:
            yield f"{name}: {what}"


def _is(node: ast.expr | None, value: bool, absent: bool = False) -> bool:
    return absent if node is None else isinstance(node, ast.Constant) and node.value is value


def _is_text(call: ast.Call) -> bool:
    return bool(call.args) and isinstance(call.args[0], ast.Constant | ast.JoinedStr | ast.BinOp)


def _is_fixed(call: ast.Call, place: str) -> bool:
    """A text in the code or in a file of ours, or the condition that `corpus.where` has checked."""
    statement = call.args[0] if call.args else None
    if place == "corpus/scan.py" and statement and ast.unparse(statement) == "condition.text":
        return True
    of_file = isinstance(statement, ast.Call) and ast.unparse(statement.func) == "sql"
    return of_file or (isinstance(statement, ast.Constant) and isinstance(statement.value, str))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_runs_what_it_is_given(path: Path) -> None:
    assert found(path.read_text("utf-8"), path.relative_to(ROOT).as_posix()) == []


def test_statements_are_files_without_places_to_fill_in() -> None:
    statements = sorted((ROOT / "corpus" / "sql").glob("*.sql"))
    assert len(statements) > 5
    for path in statements:
        assert not set("{}%") & set(path.read_text("utf-8")), path


@pytest.mark.parametrize(
    "source",
    [
        "eval(x)",
        "os.system('ls')",
        "subprocess.run('ls', shell=True)",
        "subprocess.run(f'ls {folder}')",
        "pickle.load(file)",
        "np.load(path)",
        "np.load(path, allow_pickle=True)",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "yaml.load(file)",
        "Model.from_pretrained(x, trust_remote_code=True)",
        "Model.from_pretrained(x, trust_remote_code=trusted)",
        "Model.from_pretrained(x, use_safetensors=False)",
        "tar.extractall(folder)",
        "session.sql(f'SELECT {name}')",
        "session.execute('SELECT ' + name)",
        "session.execute(sql('x').format(name))",
        "duckdb.SQLExpression(condition.text)",
    ],
)
def test_the_search_finds(source: str) -> None:
    assert len(found(source)) >= 1


@pytest.mark.parametrize(
    "source",
    [
        "session.sql(sql('scan'), params={'path': path})",
        "torch.load(path, map_location='cpu', weights_only=True)",
        "np.load(path, allow_pickle=False)",
        "subprocess.run(['git', 'status'], check=True)",
        "subprocess.run(command, check=True)",
        "network.eval()",
        "re.compile(pattern)",
    ],
)
def test_the_search_passes_what_is_harmless(source: str) -> None:
    assert found(source) == []
