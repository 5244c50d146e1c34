from tests.prompts.families.case import Case

CASE = Case(
    params=[
        {},
        {"period": 1, "noise": 0.01},
        {"period": 6, "max_period": 6, "noise": 0.3, "prior_random": 0.9},
        {"period": 5, "symbols": "digits", "noise": 0.8},
    ],
    priors=[
        [{"period": k, "max_period": 8} for k in range(1, 9)],
        [{"period": k, "max_period": 4, "symbols": "digits", "noise": 0.3} for k in range(1, 5)],
    ],
    pinned=[
        ({"period": 7}, 3, "e005c4442c2dd0238ec54b0edf3c5717971716159768fe4d72265a580f4ee112"),
        (
            {"period": 4, "symbols": "letters", "noise": 0.5},
            4,
            "d66ba34920a65ccde68d026f78dccd6db605f5373366d66c942777a97e86c4b5",
        ),
    ],
    shown={"period": 4},
    separator=", ",
    refused=[
        ({"period": 0}, r"period=0 must be in 1\.\.max_period \(16\)"),
        ({"period": 17}, r"period=17 must be in 1\.\.max_period \(16\)"),
        ({"noise": 0.0}, "noise=0 is the observer period"),
        ({"noise": 0.5}, r"noise=0\.5 with 2 symbols must be at least 0 and below 0\.5"),
        ({"prior_random": 0.0}, r"prior_random=0\.0 must be above 0 and below 1"),
    ],
)
