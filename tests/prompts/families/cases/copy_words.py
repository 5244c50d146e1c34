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
        ({}, 1, "2b1be97e3df17ef18b7999c4c009e17dba2ced593329b4f7aeeef5eb2db0f723"),
        (
            {"marked": False, "sizes": "uniform"},
            2,
            "f79870594f9a2b2433d007da749004a5b313135f5c4abfd7adda0f979287adfe",
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
