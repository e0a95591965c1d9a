"""Bodies of deliveries in every form that Python's `json` accepts."""

import json

from hypothesis import strategies as st

# Lone surrogates and U+0000 included.
texts = st.text(st.characters(exclude_categories=()), max_size=12)
encodings = st.sampled_from(["utf-8"] * 4 + ["utf-8-sig", "utf-16", "utf-16-be", "utf-32-le"])


@st.composite
def _bodies(draw: st.DrawFn) -> bytes:
    fields = {
        "event": draw(st.just("user.updated") | texts),
        "event_ts": draw(st.none() | st.integers(0, 2**62) | texts),
        "payload": {"account_id": draw(texts), "object": {"id": "u", draw(texts): draw(texts)}},
    }
    text = json.dumps(
        {key: fields[key] for key in draw(st.permutations(list(fields)))},
        ensure_ascii=draw(st.booleans()),
        indent=draw(st.none() | st.integers(0, 2) | st.just("\r")),
        separators=draw(st.sampled_from([None, (",", ":"), (" ,\t", " : ")])),
    )
    blanks = st.text(" \t\r\n", max_size=3)
    spaced = draw(blanks) + text + draw(blanks)
    return spaced.encode(draw(encodings), "surrogatepass")


bodies = _bodies()
