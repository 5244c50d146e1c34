from tests.prompts.families.case import Case

CASE = Case(
    params=[
        {},
        {"sizes": "uniform", "mean_size": 2.5, "symbols": ("x", "y", "z")},
        {"stream": "word", "mean_size": 20.0},
    ],
    certain=[{"stream": "word", "mean_size": 20.0}],
    priors=[[{}]],
    pinned=[({}, 1, "a0bf8432da774e16a420b41a851523a25542bde315548b5c426c2b1e6a367f2a")],
    shown={"mean_size": 2.0},
    shown_length=22,
    shorter=(),
    ends=True,
    refused=[
        ({"mean_size": 2000.0}, r"mean_size=2000\.0 must be in 1\.\.1000"),
        (
            {"sizes": "uniform", "stream": "word"},
            "no word of length 60 with these sizes; nearest possible lengths: 21$",
        ),
        (
            {"mean_size": 1.0},
            "no stream of words of length 60 with these sizes; nearest possible lengths: 59 and 63$",
        ),
        ({"symbols": "pair"}, "symbols='pair' has 2 symbols; it needs 3"),
    ],
)
