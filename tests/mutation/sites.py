"""Where a module can be given a small fault, and which.

Left alone are annotations, decorators, docstrings, texts, and what only a type checker runs. A site's key
depends on its own code and its function's name alone, so that it stays the same while other code changes.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

Edit = Callable[[], None]

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Div,
    ast.Mod: ast.Mult, ast.Pow: ast.Mult, ast.LShift: ast.RShift, ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.BitXor: ast.BitAnd,
}  # fmt: skip
NOT_RUN = ("annotation", "returns", "decorator_list", "format_spec")


@dataclass(frozen=True)
class Site:
    """One small fault that can be made.

    Attributes:
        module: The module's path.
        function: Dotted name of the function or class that it is in; empty for the module's own level.
        called: Whether it runs when the function is called, not when the module is imported.
        line: Its line, from 1.
        operator: What is done.
        key: Digest of the module, the function, the operator and the code that is changed.
        place: Its number among the module's sites.
    """

    module: Path
    function: str
    called: bool
    line: int
    operator: str
    key: str
    place: int


@dataclass(frozen=True)
class _Where:
    function: str = ""
    called: bool = False


@dataclass(frozen=True)
class _Found:
    node: ast.expr | ast.stmt | ast.comprehension
    where: _Where
    operator: str
    edit: Edit


def sites(module: Path) -> list[Site]:
    """Return all sites of a module, in an order that its code alone decides."""
    seen: Counter[str] = Counter()
    listed = []
    for place, found in enumerate(_in_block(_tree(module).body, _Where())):
        where = found.where
        text = "\0".join((str(module), where.function, found.operator, ast.unparse(found.node)))
        seen[text] += 1
        key = blake2b(f"{text}\0{seen[text]}".encode(), digest_size=6).hexdigest()
        node = found.node.target if isinstance(found.node, ast.comprehension) else found.node
        listed.append(Site(module, where.function, where.called, node.lineno, found.operator, key, place))
    return listed


def mutant(site: Site) -> tuple[ast.Module, str, str]:
    """Return a module with a fault, and what stood there before and stands there now."""
    tree = _tree(site.module)
    found = list(_in_block(tree.body, _Where()))[site.place]
    before = ast.unparse(found.node)
    found.edit()
    after = "pass" if site.operator == "statement removed" else ast.unparse(found.node)
    return ast.fix_missing_locations(tree), before, after


def _tree(module: Path) -> ast.Module:
    return ast.parse(module.read_text(encoding="utf-8"))


def _in_block(body: list[ast.stmt], where: _Where) -> Iterator[_Found]:
    for number, node in enumerate(body):
        if _for_types_only(node):
            continue
        if _removable(node):
            yield _Found(node, where, "statement removed", _setter(body, number, ast.Pass()))
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            name = f"{where.function}.{node.name}".lstrip(".")
            if isinstance(node, ast.FunctionDef):
                yield from _in_expressions(node.args, where)
            yield from _in_block(node.body, _Where(name, isinstance(node, ast.FunctionDef)))
        else:
            yield from _in_expressions(node, where)
            for block in _blocks(node):
                yield from _in_block(block, where)


def _blocks(node: ast.stmt) -> Iterator[list[ast.stmt]]:
    """Yield the statement lists inside a statement."""
    for name in ("body", "orelse", "finalbody"):
        yield getattr(node, name, [])
    for part in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
        yield part.body


def _for_types_only(node: ast.stmt) -> bool:
    if isinstance(node, ast.If):
        return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return text or isinstance(node, (ast.Import, ast.ImportFrom))


def _removable(node: ast.stmt) -> bool:
    """Whether a statement can go without leaving a name undefined."""
    if isinstance(node, ast.Assign):
        return all(isinstance(target, (ast.Attribute, ast.Subscript)) for target in node.targets)
    return isinstance(node, (ast.Expr, ast.AugAssign, ast.Raise, ast.Continue, ast.Break))


def _in_expressions(node: ast.AST, where: _Where) -> Iterator[_Found]:
    """Yield the sites of a node and of the expressions below it, not of statements inside it."""
    if isinstance(node, (ast.expr, ast.stmt, ast.comprehension)):
        for operator, edit in _edits(node):
            yield _Found(node, where, operator, edit)
    for field, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            inside = isinstance(child, (ast.stmt, ast.excepthandler, ast.match_case))
            if field not in NOT_RUN and isinstance(child, ast.AST) and not inside:
                yield from _in_expressions(child, where)


def _edits(node: ast.AST) -> Iterator[tuple[str, Edit]]:  # noqa: C901, PLR0912 (a table, one row a case)
    match node:
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test):
            yield "condition negated", _replacer(node, "test", ast.UnaryOp(ast.Not(), test))
        case ast.comprehension(ifs=tests):
            for number, test in enumerate(tests):
                yield "condition negated", _setter(tests, number, ast.UnaryOp(ast.Not(), test))
        case ast.Compare(ops=operators):
            for number, operator in enumerate(operators):
                yield "comparison", _setter(operators, number, COMPARISONS[type(operator)]())
        case ast.BinOp(op=operator) | ast.AugAssign(op=operator) if type(operator) in ARITHMETIC:
            yield "arithmetic", _replacer(node, "op", ARITHMETIC[type(operator)]())
        case ast.BoolOp(op=operator):
            other = ast.Or() if isinstance(operator, ast.And) else ast.And()
            yield "and/or", _replacer(node, "op", other)
        case ast.UnaryOp(op=ast.USub()):
            yield "sign", _replacer(node, "op", ast.UAdd())
        case ast.UnaryOp(op=(ast.Not() | ast.Invert()) as operator, operand=operand):
            yield "negation removed", _replacer(node, "operand", ast.UnaryOp(operator, operand))
        case ast.Constant(value=bool() as value):
            yield "constant", _replacer(node, "value", not value)
        case ast.Constant(value=int() | float() as value):
            yield "constant + 1", _replacer(node, "value", value + 1)
            yield "constant - 1", _replacer(node, "value", value - 1)
        case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Constant):
            yield "None returned", _replacer(node, "value", ast.Constant(None))
        case ast.Call(args=[first, second, *_]) if not isinstance(first, ast.Starred):
            yield "arguments swapped", _setter(node.args, slice(0, 2), [second, first])


def _replacer(node: ast.AST, field: str, value: object) -> Edit:
    return lambda: setattr(node, field, value)


def _setter(items: list, place: int | slice, value: object) -> Edit:
    return lambda: items.__setitem__(place, value)
