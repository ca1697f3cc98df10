"""What a project builds, compiles and fits, in order: its source followed step by step without running it.

Constants are folded, loops over known items unrolled, the project's own functions, methods and classes entered. Where
only running would tell which branch is taken, the first one is; a guard that would leave early is not.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from contextlib import suppress
from enum import Enum, auto
from functools import lru_cache
from typing import Any

from pipeline.analysis.calls import Caller, ProjectTrace
from pipeline.analysis.evaluate import Exhausted, items_of, member, name_of, names_within, truth
from pipeline.analysis.keras_names import MERGE_FUNCTIONS
from pipeline.analysis.values import Class, Function, Instance, Loop, Reference, Scope, Unknown, arithmetic


def trace_project(tree: ast.Module) -> ProjectTrace:
    """The trace of a module. Stops quietly after MAX_STEPS, and at code nested too deeply for Python's own stack."""
    return _traced(tree)[1]


@lru_cache(maxsize=1)  # a second look at the same tree would find all entered already
def trace_everything(tree: ast.Module) -> tuple[ProjectTrace, ProjectTrace]:
    """The trace of a module, and another of what nothing in it calls: functions that are never used, and methods that
    only a library calls. Each stops as `trace_project` does."""
    run, called = _traced(tree)
    run.begin_trace()
    with suppress(Exhausted, RecursionError):
        run.enter_rest()
    return called, run.trace


def trace_network(tree: ast.Module, network: object) -> ProjectTrace:
    """The trace of one call of a network of PyTorch: a value that another trace of the same tree has."""
    run, _ = _traced(tree)
    run.begin_trace()
    with suppress(Exhausted, RecursionError):
        run.pass_through(network, (Unknown.ANY,), {}, _SOME_CALL)
    return run.trace


_SOME_CALL = ast.Call(func=ast.Name("network"), args=[], keywords=[], lineno=1)
"""Stands for the call that nobody wrote."""


# A project is looked up by its request and then scored, one after another, by the tree that `parsed` keeps too.
@lru_cache(maxsize=1)
def _traced(tree: ast.Module) -> tuple[_Run, ProjectTrace]:
    """The run, which `trace_everything` goes on with, and the trace of what the module itself does."""
    run = _Run()
    with suppress(Exhausted, RecursionError):
        run.block(tree.body)
        if not run.trace.layers:  # only a library calls what builds the model: a tuner, a scikit-learn wrapper
            run.enter_unused()
    return run, run.trace


class _Leave(Enum):
    """How a block is left before its end."""

    RETURN = auto()
    BREAK = auto()
    CONTINUE = auto()


class _Run(Caller):
    def execute(self, body: Iterable[ast.stmt]) -> None:
        self.block(body)

    def begin_trace(self) -> ProjectTrace:
        """Goes on with an empty trace, at the top level of the module and with as many steps as at first; gives the
        trace so far."""
        traced = self.trace
        self.trace = ProjectTrace(names=traced.names, modules=traced.modules, functions=traced.functions)
        self._passed_through = set()
        self.scope = Scope(traced.names)
        self.undecided = self.steps = self._depth = 0
        return traced

    def enter_unused(self) -> None:
        """Enters the functions and classes of the module that nothing has called, with unknown arguments: first what
        is handed to a library (`app.run(main)`) or called `main`, and if that builds nothing, all the others.

        Those that another one calls come last, since they are not entered twice: a builder above a `main` is one
        model, not two.
        """
        unused = self._unused()
        mains = [value for value in unused if self._is_main(value)]
        for value in mains:
            self._enter_value(value)
        if self.trace.layers:
            return
        within: set[str] = set()
        for value in unused:
            within |= names_within(value)
        for value in sorted(unused, key=lambda value: name_of(value) in within):
            self._enter_value(value)

    def enter_rest(self) -> None:
        """Enters all that nothing has called, and the methods that only a library calls: `forward`, `train_step`."""
        self.enter_unused()
        for value in self._unused():
            self._enter_value(value)
        for cls in list(self.scope.names.values()):
            if not isinstance(cls, Class):
                continue
            instance = self._instances.get(id(cls.scope)) or Instance(cls)
            for name in list(cls.scope.names):
                method = member(instance, name)
                if isinstance(method, Function) and id(method.node) not in self._entered:
                    self._enter(method, (), {})

    def _unused(self) -> list[Function | Class]:
        unused: list[Function | Class] = []
        for value in self.scope.names.values():
            if isinstance(value, Function | Class) and not self._is_entered(value):
                unused.append(value)
        return unused

    def _is_entered(self, value: Function | Class) -> bool:
        return id(value.node if isinstance(value, Function) else value.scope) in self._entered

    def _enter_value(self, value: Function | Class) -> None:
        if self._is_entered(value):
            return
        if isinstance(value, Function):
            self._enter(value, (), {})
        else:
            self._instance(value, (), {})

    def _is_main(self, value: Function | Class) -> bool:
        if not isinstance(value, Function):
            return False
        return name_of(value) == "main" or any(value in call.args for call in self.trace.calls if call.name == "run")

    def block(self, statements: Iterable[ast.stmt]) -> _Leave | None:
        for statement in statements:
            self.step()
            execute = _STATEMENTS.get(type(statement))
            if execute is None:  # `pass`, `raise`, `global`, `del`, `assert`
                continue
            leave = execute(self, statement)
            if leave is not None:
                return leave
        return None

    def _assign(self, statement: ast.Assign) -> None:
        value = self.value(statement.value)
        for target in statement.targets:
            self.bind(target, value)

    def _annotated(self, statement: ast.AnnAssign) -> None:
        if statement.value is not None:
            self.bind(statement.target, self.value(statement.value))

    def _augmented(self, statement: ast.AugAssign) -> None:
        change = self.value(statement.value)
        current = self.value(statement.target)
        if isinstance(current, list):
            self.progress += 1
        self.bind(statement.target, arithmetic(type(statement.op), current, change))

    def _expression(self, statement: ast.Expr) -> None:
        self.value(statement.value)

    def _return(self, statement: ast.Return) -> _Leave:
        self.returned = None
        if statement.value is not None:
            self.returned = self.value(statement.value)
        return _Leave.RETURN

    def _break(self, _: ast.Break) -> _Leave:
        return _Leave.BREAK

    def _continue(self, _: ast.Continue) -> _Leave:
        return _Leave.CONTINUE

    def _if(self, statement: ast.If) -> _Leave | None:
        known = truth(self.value(statement.test))
        if known is True:
            return self.block(statement.body)
        if known is False:
            return self.block(statement.orelse)
        leaves_early = isinstance(statement.body[-1], ast.Return | ast.Raise | ast.Continue | ast.Break)
        if leaves_early and not statement.orelse:
            return None
        self.undecided += 1
        leave = self.block(statement.body)
        self.undecided -= 1
        if leave is _Leave.RETURN:
            return leave
        # A `break` or `continue` that may not happen does not end the round.
        return None

    def _for(self, statement: ast.For | ast.AsyncFor) -> _Leave | None:
        iterable = self.value(statement.iter)
        self.trace.loops.append(Loop(statement, iterable))
        items = items_of(iterable)
        if items is None:
            items = [Unknown.ANY]  # one round shows what the loop does
        for item in items:
            progress = self.progress
            self.bind(statement.target, item)
            leave = self.block(statement.body)
            if leave is _Leave.RETURN:
                return leave
            if leave is _Leave.BREAK or self.progress == progress:
                break
        return None

    def _while(self, statement: ast.While) -> _Leave | None:
        self._note_counting(statement)
        leave = self.block(statement.body)  # one round, whatever the condition
        if leave is _Leave.RETURN:
            return leave
        return None

    def _note_counting(self, statement: ast.While) -> None:
        """Notes `while epoch < 400` as a loop, from what the counter is."""
        test = statement.test
        if not isinstance(test, ast.Compare) or not isinstance(test.ops[0], ast.Lt | ast.LtE):
            return
        start, end = self.value(test.left), self.value(test.comparators[0])
        if not isinstance(start, int) or not isinstance(end, int):
            return
        loop = ast.For(target=test.left, iter=test.comparators[0], body=statement.body, orelse=[])
        counted = range(start, end + isinstance(test.ops[0], ast.LtE))
        self.trace.loops.append(Loop(ast.copy_location(loop, statement), counted))

    def _with(self, statement: ast.With | ast.AsyncWith) -> _Leave | None:
        for item in statement.items:
            value = self.value(item.context_expr)
            if item.optional_vars is not None:
                self.bind(item.optional_vars, value)
        return self.block(statement.body)

    def _try(self, statement: ast.Try | ast.TryStar) -> _Leave | None:
        return self.block([*statement.body, *statement.orelse, *statement.finalbody])

    def _match(self, statement: ast.Match) -> _Leave | None:
        return self.block(statement.cases[0].body)

    def _define(self, statement: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self.trace.functions.append(statement)
        self.scope.names[statement.name] = Function(statement, self.scope)

    def _class(self, statement: ast.ClassDef) -> None:
        bases = tuple(self.value(base) for base in statement.bases)
        outer, self.scope = self.scope, Scope(outer=self.scope)
        outer.names[statement.name] = Class(statement.name, bases, self.scope)
        self.block(statement.body)
        self.scope = outer

    def _import(self, statement: ast.Import) -> None:
        for alias in statement.names:
            root = alias.name.partition(".")[0]
            self.trace.imports.add(root)
            # `import a.b` binds `a`; `import a.b as c` binds the inner module.
            if alias.asname:
                self.scope.names[alias.asname] = Reference(alias.name)
            else:
                self.scope.names[root] = Reference(root)

    def _import_from(self, statement: ast.ImportFrom) -> None:
        module = statement.module or ""
        if statement.level == 0:
            self.trace.imports.add(module.partition(".")[0])
        for alias in statement.names:
            if alias.name != "*":
                self.scope.names[alias.asname or alias.name] = Reference(f"{module}.{alias.name}")
            elif module.endswith(".layers"):
                # Layer classes are known by their bare names; only these functions look like any other.
                for name in MERGE_FUNCTIONS:
                    self.scope.names[name] = Reference(f"{module}.{name}")


_STATEMENTS: dict[type[ast.stmt], Callable[[Any, Any], _Leave | None]] = {
    ast.Assign: _Run._assign,
    ast.AnnAssign: _Run._annotated,
    ast.AugAssign: _Run._augmented,
    ast.Expr: _Run._expression,
    ast.Return: _Run._return,
    ast.Break: _Run._break,
    ast.Continue: _Run._continue,
    ast.If: _Run._if,
    ast.For: _Run._for,
    ast.AsyncFor: _Run._for,
    ast.While: _Run._while,
    ast.With: _Run._with,
    ast.AsyncWith: _Run._with,
    ast.Try: _Run._try,
    ast.TryStar: _Run._try,
    ast.Match: _Run._match,
    ast.FunctionDef: _Run._define,
    ast.AsyncFunctionDef: _Run._define,
    ast.ClassDef: _Run._class,
    ast.Import: _Run._import,
    ast.ImportFrom: _Run._import_from,
}
