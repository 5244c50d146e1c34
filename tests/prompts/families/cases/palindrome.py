from tests.prompts.families.case import Case

CASE = Case(
    params=[
        {},
        {"marked": False},
        {"marked": False, "sizes": "uniform", "mean_size": 4.0, "symbols": "digits"},
        {"stream": "word", "mean_size": 30.0, "symbols": ("x", "y", "z")},
    ],
    priors=[[{}], [{"marked": False}]],
    pinned=[
        ({}, 1, "c5c0ffb0bf0896fe02c06037ac9ff154177f078e6708ada30c3217f6dfa0be04"),
        (
            {"marked": False, "sizes": "uniform"},
            2,
            "0f3612dd731f6f4efbfc4bb979fdc1321f13b01d64041c84483a93decfed9ece",
        ),
    ],
    shown={"mean_size": 4.0},
    shown_length=24,
    length=61,
    pinned_length=201,
    shorter=(),
    ends=True,
    refused=[
        (
            {"marked": False, "stream": "word"},
            "of length 61 with these sizes; nearest possible lengths: 60 and 62$",
        ),
        ({"symbols": ("a", "#")}, "marks the half of a word"),
        ({"symbols": ("a", "|")}, "separates the words"),
        ({"mean_size": 0.0}, r"mean_size=0\.0 must be in 1\.\.1000"),
    ],
)
