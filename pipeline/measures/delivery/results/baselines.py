"""Baselines that a request names: another one than the named one is not what was asked."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from pipeline.measures.delivery.code import Code
from pipeline.measures.delivery.findings import Finding, missing
from pipeline.measures.delivery.sight import called_name

_NAMED: tuple[tuple[str, str, str], ...] = (
    # words of the request | what a program prints or calls its names | calls
    (
        r"yesterday|day before|previous day|last (week|year|season|month)|seasonal|same (hour|day|week|month)",
        r"season|yesterday|day[ _](before|ago|earlier)|(previous|last)[ _](day|week|year|month)|same[ _](hour|day|week|month)",
        "",
    ),
    (r"last (known )?value|persistence", r"last[ _](known[ _])?value|persist|naive[ _]forecast", ""),
    (r"linear regression|\blinear\b", "linear regression", "LinearRegression|Ridge|Lasso"),
    (r"logistic", "logistic", "LogisticRegression"),
    (r"\bridge\b", "ridge", r"Ridge\w*"),
    (r"random[- ]forest", "random[ _]forest", r"RandomForest\w+|ExtraTrees\w+"),
    (
        r"xgboost|lightgbm|gradient boosting|boosted trees",
        "boost|lightgbm|lgbm|xgb",
        r"XGB\w+|LGBM\w+|\w*GradientBoosting\w+|CatBoost\w+",
    ),
    (r"decision tree", "decision[ _]tree", r"DecisionTree\w+"),
    (r"s?arima\b", "arima", r"\w*ARIMA\w*"),
    (r"prophet", "prophet", "Prophet"),
    (r"\bsvm\b", r"(^|\W|_)svm", r"(Linear|Nu)?SV[CR]"),
    (r"k-?nn|nearest neighbou?r", r"nearest|(^|\W|_)knn", r"KNeighbors\w+|NearestNeighbors"),
    (r"naive bayes|naïve bayes", "bayes", r"\w+NB"),
    (
        r"majority|most (frequent|common)",
        r"majority|most[ _](frequent|common)|commonest|more frequent|always",
        "Dummy\\w+",
    ),
    (r"\bmedian\b", "median", "DummyRegressor"),
    (r"\b(mean|average)\b", r"mean|average", "DummyRegressor"),
)


def is_another_baseline(words: str, code: Code) -> Finding | None:
    """Not met where the request's words name a baseline that the program neither prints nor computes; None for one
    that has no name, and where it is there."""
    for asked, text, calls in _NAMED:
        if not re.search(asked, words, re.IGNORECASE):
            continue
        if calls and code.calls_named(calls):
            return None
        printed = list(_printed(code))
        if any(re.search(text, one, re.IGNORECASE) for one, _ in printed):
            return None
        baselines = (
            rf"(baseline|naive)\w*_({text})|({text})\w*_(baseline|naive)|^(seasonal_naive|yesterday|persistence)$"
        )
        if code.word(baselines) is not None:
            return None
        shown, line = printed[0] if printed else ("", None)
        return missing(f"another baseline: {shown}" if shown else "another baseline", line)
    return None


_PRINTED = re.compile(r"(?:baseline|naive)[\w ]*,? ?([^{:)'\"]*)", re.IGNORECASE)


def _printed(code: Code) -> Iterator[tuple[str, int]]:
    """What the printed texts say of a baseline, with their lines."""
    for node in code.nodes_of(ast.Call):
        if called_name(node) == "print":
            for found in _PRINTED.finditer(ast.unparse(node)):
                yield found[0].strip() if not found[1].strip() else found[1].strip(), node.lineno
