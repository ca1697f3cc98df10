"""Prompts said in another way: seven operators, by rule or by a model, that leave what must not change as it is.

`operators` names them, `kept` says what must not change, `rules` are the rules, `by_model` asks a model.
"""
