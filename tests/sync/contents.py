"""Whatever can be in a message, as hypothesis draws it."""

from __future__ import annotations

from hypothesis import strategies as st

from sync.release import Answer, Content, Delete, Enrol

_NAMES = st.text(max_size=20)
_NUMBERS = st.integers(-(2**40), 2**40)

answers: st.SearchStrategy[Answer] = st.builds(
    Answer, _NAMES, _NUMBERS, _NUMBERS, _NUMBERS, st.floats(allow_nan=False, allow_infinity=False), _NUMBERS
)
enrols: st.SearchStrategy[Enrol] = st.builds(Enrol, _NAMES, _NAMES, st.dictionaries(_NAMES, _NUMBERS, max_size=3))
deletes: st.SearchStrategy[Delete] = st.builds(Delete, _NAMES)
contents: st.SearchStrategy[Content] = st.one_of(answers, enrols, deletes)
