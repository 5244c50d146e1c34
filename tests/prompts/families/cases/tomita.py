from tests.prompts.families.case import Case

CASE = Case(
    params=[
        {},
        {"language": 1},
        {"language": 2, "mean_size": 1.5},
        {"language": 3, "reading": "later", "mean_size": 2.5},
        {"language": 5, "symbols": ("x", "y")},
        {"language": 4, "stream": "word"},
        {"language": 6, "stream": "word"},
    ],
    priors=[
        [
            *({"language": i} for i in (1, 2, 4, 5, 6, 7)),
            *({"language": 3, "reading": r} for r in ("adjacent", "later")),
        ],
        [{"language": i, "stream": "word"} for i in (1, 2, 4, 5, 6, 7)],
    ],
    pinned=[
        ({}, 1, "1b5aefd0921337455ed0de362b7d601dc20ba11834673506165c86c586bb3e76"),
        (
            {"language": 3, "reading": "later"},
            2,
            "262c1c49d97d20328dcc283b6c91a618f7eae560148821c6c595f74082dd98e4",
        ),
        (
            {"language": 5, "stream": "word"},
            3,
            "0015fea1ae4a39d7fbd181ab1ea805e583d09d4487e895ed463e5501f5303f1e",
        ),
    ],
    shown_length=24,
    shorter=(),
    ends=True,
    refused=[
        ({"language": 8}, "the languages are 1..7"),
        ({"language": 4, "reading": "later"}, "only language 3 has two readings"),
        ({"stream": "word", "mean_size": 3.0}, r"mean_size=3\.0 is for stream: words"),
        ({"mean_size": 0.5}, r"mean_size=0\.5 must be in 1\.\.32"),
        ({"mean_size": 33.0}, r"mean_size=33\.0 must be in 1\.\.32"),
        ({"symbols": "digits"}, "it needs 2"),
        ({"symbols": ("a", "|")}, "separates the words"),
    ],
)
