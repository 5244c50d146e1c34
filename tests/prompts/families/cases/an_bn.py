from tests.prompts.families.case import Case

CASE = Case(
    params=[
        {},
        {"ratio": 3, "sizes": "uniform", "mean_size": 2.5, "symbols": ("x", "y")},
        {"ratio": 2, "stream": "word", "mean_size": 20.0},
    ],
    certain=[{"ratio": 2, "stream": "word", "mean_size": 20.0}],
    priors=[[{}], [{"ratio": ratio} for ratio in (1, 2, 3, 4)]],
    pinned=[
        ({}, 1, "5f8e2ffcf0d05ec87bc49bfd0075235152d90f00fa89b472e281804c8c93386e"),
        (
            {"ratio": 2, "sizes": "uniform"},
            2,
            "c2b808ec67043bf065f08fbd19d62768679d5b42ea53d3387c5c96690429834f",
        ),
    ],
    shown={"mean_size": 2.0},
    shown_length=20,
    shorter=(),
    ends=True,
    refused=[
        ({"ratio": 0}, r"ratio=0 must be one of \(1, 2, 3, 4\)"),
        ({"ratio": 5}, "ratio=5"),
        ({"mean_size": 0.5}, r"mean_size=0\.5 must be in 1\.\.1000"),
        ({"sizes": "uniform", "mean_size": 1.2}, r"must be a multiple of 0\.5"),
        (
            {"sizes": "uniform", "stream": "word"},
            "no word of length 60 with these sizes; nearest possible lengths: 14$",
        ),
        ({"symbols": "letters"}, "symbols='letters' has 16 symbols; it needs 2"),
        ({"symbols": ("a", "|")}, "separates the words"),
        ({"stream": "wrods"}, "stream='wrods' must be"),
    ],
)
