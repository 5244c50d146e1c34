from tests.prompts.families.case import Case

CASE = Case(
    params=[
        {},
        {"form": "letters"},
        {"n_bits": 5, "operation": "XOR"},
        {"n_bits": 2, "symbols": ("x", "y")},
    ],
    priors=[[{}], [{"n_bits": 3}], [{"form": "letters"}]],
    pinned=[
        ({}, 1, "4876cda9cc0833c4d2d1c291d519083349e02a20a69634d7b8a61c7d35ae5c14"),
        (
            {"n_bits": 5, "operation": "NOR"},
            2,
            "682808215db23b9e02f894ee3aa2f10e565c749220aca74237c8b26353c84abb",
        ),
        ({"form": "letters"}, 3, "41e4f04650c9fea0800bfd133de3c1fe2109f0abcc1ca3ef116fca5a36587775"),
    ],
    shown={"n_bits": 2},
    shown_length=30,
    refused=[
        ({"n_bits": 0}, r"n_bits=0 must be in 1\.\.64"),
        ({"n_bits": 65}, r"n_bits=65 must be in 1\.\.64"),
        ({"n_bits": 2, "form": "letters"}, "names pairs of single bits"),
        ({"symbols": "digits"}, "bits have 2"),
        ({"symbols": ("0", "=")}, "all distinct"),
        ({"symbols": ("a", "0"), "form": "letters"}, "all distinct"),
        ({"operation": "NOT"}, "must be 'any' or 'AND'"),
    ],
)
