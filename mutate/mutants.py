"""The mistakes that can be made in a module: each is one small change of its text."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_CONDITIONS = frozenset({"where", "filter", "and_"})
_TALK = frozenset({"log"})
"""What is written to the log is no behaviour that a test must show."""


@dataclass(frozen=True)
class Mutant:
    """A change of the bytes `start` to `end` of a module into `text`.

    `line` (from 1) is where it is; the statement that holds it reaches from `first` to `last`.
    """

    kind: str
    line: int
    first: int
    last: int
    start: int
    end: int
    text: str

    def apply(self, source: bytes) -> bytes:
        """The module with the mistake in it."""
        return source[: self.start] + self.text.encode() + source[self.end :]

    def told(self, source: bytes) -> str:
        """The change in one line: `a < b -> a <= b`."""
        before = " ".join(source[self.start : self.end].decode().split())
        return f"{before} -> {' '.join(self.text.split()) or 'nothing'}"


def mutants(source: bytes) -> list[Mutant]:
    """All mistakes, in the order of the text."""
    return sorted(set(_Maker(source).make()), key=lambda mutant: (mutant.start, mutant.end, mutant.kind, mutant.text))


class _Maker:
    def __init__(self, source: bytes) -> None:
        self._tree = ast.parse(source)
        starts = [0]
        for line in source.splitlines(keepends=True):
            starts.append(starts[-1] + len(line))
        self._starts = starts
        self._lines = (1, 1)

    def make(self) -> Iterator[Mutant]:
        yield from self._block(self._tree.body)

    def _block(self, body: list[ast.stmt]) -> Iterator[Mutant]:
        for statement in body:
            yield from self._statement(statement)

    def _statement(self, statement: ast.stmt) -> Iterator[Mutant]:
        self._lines = _own_lines(statement)
        match statement:
            case ast.Import() | ast.ImportFrom():
                return
            case ast.Expr(value=ast.Constant()):  # a docstring
                return
            case ast.Expr(value=ast.Call() as call) if _name(call.func) in _TALK:
                return
            case ast.Expr(value=ast.Call()) | ast.AugAssign() | ast.Raise() | ast.Delete():
                yield self._mutant("statement removed", statement, "pass")
            case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
                yield self._mutant("statement removed", statement, "pass")
            case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Constant):
                yield self._mutant("return", value, "None")
            case ast.If(test=test):
                yield self._mutant("condition", test, "False")
                yield self._mutant("condition", test, "True")
        for expression in _expressions(statement):
            yield from self._expression(expression)
        for inner in _inner(statement):
            yield from self._block(inner)

    def _expression(self, expression: ast.expr) -> Iterator[Mutant]:
        for node in ast.walk(expression):
            match node:
                case ast.Compare(left=left, ops=[operation], comparators=[right]) if type(operation) in _COMPARISONS:
                    other = ast.Compare(left, [_COMPARISONS[type(operation)]()], [right])
                    yield self._mutant("comparison", node, f"({ast.unparse(other)})")
                case ast.BoolOp(op=operator, values=values):
                    swapped = ast.BoolOp(ast.Or() if isinstance(operator, ast.And) else ast.And(), values)
                    yield self._mutant("boolean", node, f"({ast.unparse(swapped)})")
                    for number in range(len(values)):
                        rest = values[:number] + values[number + 1 :]
                        kept = rest[0] if len(rest) == 1 else ast.BoolOp(operator, rest)
                        yield self._mutant("condition removed", node, f"({ast.unparse(kept)})")
                case ast.UnaryOp(op=ast.Not(), operand=operand):
                    yield self._mutant("boolean", node, f"({ast.unparse(operand)})")
                case ast.Call(func=func, args=[_, _, *_] as arguments) if _last_name(func) in _CONDITIONS:
                    for number in range(len(arguments)):
                        rest = arguments[:number] + arguments[number + 1 :]
                        yield self._mutant("condition removed", node, ast.unparse(ast.Call(func, rest, node.keywords)))
                case ast.Set(elts=[_, _, *_] as members):
                    for number in range(len(members)):
                        rest = members[:number] + members[number + 1 :]
                        yield self._mutant("member removed", node, ast.unparse(ast.Set(rest)))
                case ast.Constant(value=bool() as value):
                    yield self._mutant("constant", node, str(not value))
                case ast.Constant(value=int() as value):
                    yield self._mutant("constant", node, str(value + 1))

    def _mutant(self, kind: str, node: ast.stmt | ast.expr, text: str) -> Mutant:
        start = self._starts[node.lineno - 1] + node.col_offset
        end = self._starts[(node.end_lineno or 0) - 1] + (node.end_col_offset or 0)  # whatever was parsed has both
        first, last = self._lines
        return Mutant(kind, node.lineno, first, last, start, end, text)


def _own_lines(statement: ast.stmt) -> tuple[int, int]:
    """Where the statement stands, without the block in it."""
    block = next(iter(_inner(statement)), None)
    last = block[0].lineno - 1 if block else statement.end_lineno or statement.lineno
    return statement.lineno, max(statement.lineno, last)


def _expressions(statement: ast.stmt) -> Iterator[ast.expr]:
    """The statement's own expressions that run: no annotations, no decorators, no f-string or nested statement."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
        yield from statement.args.defaults
        yield from (default for default in statement.args.kw_defaults if default is not None)
        return
    if isinstance(statement, ast.ClassDef):
        return
    for field, value in ast.iter_fields(statement):
        if field in ("annotation", "target", "targets"):
            continue
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, ast.expr) and not isinstance(part, ast.JoinedStr):
                yield part
            elif isinstance(part, ast.withitem):
                yield part.context_expr
            elif isinstance(part, ast.match_case) and part.guard is not None:
                yield part.guard


def _inner(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    for field in ("body", "orelse", "finalbody"):
        inner = getattr(statement, field, None)
        if isinstance(inner, list):
            yield inner
    for part in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
        yield part.body


def _name(function: ast.expr) -> str:
    """`log` of `log.info`."""
    while isinstance(function, ast.Attribute):
        function = function.value
    return function.id if isinstance(function, ast.Name) else ""


def _last_name(function: ast.expr) -> str:
    """`where` of `select(…).where`."""
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
