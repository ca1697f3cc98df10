from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.inputs.ids import UniqueIds, safe_id


@given(st.lists(st.sampled_from(["a", "A", "a-2", "a-3", "b", "b-2", "a-2-2"]), max_size=60))
def test_ids_are_unique_whatever_their_order(wanted: list[str]) -> None:
    ids = UniqueIds()
    taken = [ids.take(name) for name in wanted]
    assert len({name.lower() for name in taken}) == len(taken)


@given(st.one_of(st.text(max_size=300), st.integers(), st.none(), st.floats()), st.integers(0, 10**9))
def test_a_safe_id_names_a_folder(value: object, row: int) -> None:
    name = safe_id(value, row)
    assert name.isascii()
    assert 1 <= len(name) <= 100
    assert name[0].isalnum()
    assert not set(name) & set("/\\\0: \n")
    assert not name.endswith(".")


def test_many_equal_ids_take_linear_time_and_stay_short() -> None:
    ids = UniqueIds()
    taken = [ids.take("x" * 100) for _ in range(100_000)]
    assert taken[:2] == ["x" * 100, "x" * 98 + "-2"]
    assert len(set(taken)) == 100_000
    assert max(map(len, taken)) == 100
