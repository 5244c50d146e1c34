from tests.prompts.families.case import Case

CASE = Case(
    params=[
        {},
        {"pairs": "odd", "mean_size": 2.0},
        {"task": "answer"},
        {"task": "answer", "pairs": "odd", "mean_size": 1.5, "symbols": ("x", "y")},
    ],
    priors=[[{"pairs": "even"}, {"pairs": "odd"}], [{"task": "answer", "pairs": p} for p in ("even", "odd")]],
    pinned=[
        ({}, 1, "253891f1a6028d250eaa3d21be582f9709bbac39119e480a19792b7800359201"),
        (
            {"task": "answer", "pairs": "odd"},
            2,
            "4dad89b3a70587925caca6b83ad766841208044812ee32ff53a729dbb71aef48",
        ),
    ],
    shown={"task": "answer", "mean_size": 5.0},
    shown_length=24,
    shorter=(),
    ends=True,
    refused=[
        ({"symbols": ("a", "b", "c")}, "it needs 2"),
        ({"task": "answer", "symbols": "binary"}, "all distinct"),
        ({"mean_size": 0.0}, r"mean_size=0\.0 must be in 1"),
        ({"pairs": "evne"}, "must be 'even' or 'odd'"),
    ],
)
