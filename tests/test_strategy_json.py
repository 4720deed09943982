"""JSON with comments: they go, and everything else stays where it was."""

from __future__ import annotations

import numpy as np
import pytest

from market import jsonc


@pytest.mark.parametrize(
    ("text", "held"),
    [
        (
            '{"url": "wss://host/a//b", "c": "/* no */"} // yes',
            {"url": "wss://host/a//b", "c": "/* no */"},
        ),
        ('{"a": [1, 2, /* ] */ ], }', {"a": [1, 2]}),
        ('{"a": "x,]", "b": ",}",\n // }\n}', {"a": "x,]", "b": ",}"}),
        (r'{"a": "say \"//\" twice \\", /*"*/ "b": 1}', {"a": 'say "//" twice \\', "b": 1}),
        ('\ufeff{\t"a":\t1e-3}', {"a": 0.001}),
        ('{"a": "\ttab"}', None),
        ('{"a": 1} /* open', None),
        ('{"a": 1,, }', None),
    ],
)
def test_comments_and_commas_go_and_strings_stay(text, held):
    bare = jsonc.plain(text)
    assert len(bare) == len(text)
    if held is None:
        with pytest.raises(ValueError, match=r"."):
            jsonc.parse(bare)
    else:
        assert jsonc.parse(bare) == held


def test_comments_anywhere_change_nothing(tmp_path):
    rng = np.random.default_rng(5)
    noise = ["// x\n", '/* " , ] */', "\n", " ", "/**/", '// "\n']
    held = {"a//": ["/*", "*/", ",]", {"b": [1, "\\", '"'], "": None}], "c": -1.5}
    tokens = ["{", '"a//"', ":", "[", '"/*"', ",", '"*/"', ",", '",]"', ",", "{", '"b"', ":", "[",
              "1", ",", r'"\\"', ",", r'"\""', "]", ",", '""', ":", "null", "}", "]", ",", '"c"',
              ":", "-1.5", "}"]  # fmt: skip
    for _ in range(200):
        parts = []
        for token in tokens:
            closing = token in "]}" and rng.random() < 0.5
            parts += ["," if closing else "", rng.choice(noise), token]
        assert jsonc.parse(jsonc.plain("".join(parts))) == held
