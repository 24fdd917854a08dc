"""Conditions with three answers (yes, no, unknown) and message templates: Jinja2's grammar, our own bounded evaluator.

A condition never raises on data and never costs more than its text is long. What is not known makes an answer unknown,
which is not no.
"""

from server.expressions.condition import Answer, Condition, Expression, Verdict
from server.expressions.fields import LocaleText, Names
from server.expressions.grammar import ExpressionError
from server.expressions.logic import all_of, any_of, none_of
from server.expressions.template import Template, render
from server.expressions.words import matches_glob

__all__ = [
    "Answer",
    "Condition",
    "Expression",
    "ExpressionError",
    "LocaleText",
    "Names",
    "Template",
    "Verdict",
    "all_of",
    "any_of",
    "matches_glob",
    "none_of",
    "render",
]
