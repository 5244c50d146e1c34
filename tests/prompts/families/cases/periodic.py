from tests.prompts.families.case import Case

CASE = Case(
    params=[
        {},
        {"period": 1},
        {"period": 6, "max_period": 6, "prior_random": 0.9},
        {"period": 8, "symbols": "letters"},
        {"period": 5, "symbols": "digits", "distinct": False},
        {"period": 2, "distinct": True},
        {"period": 4, "primitive": False},
    ],
    priors=[
        [{"period": k, "max_period": 8} for k in range(1, 9)],
        [{"period": k, "max_period": 8, "symbols": "letters"} for k in range(1, 9)],
        [{"period": k, "max_period": 8, "primitive": False} for k in range(1, 9)],
    ],
    pinned=[
        ({"period": 7}, 3, "ac3f4642c9629f5e5fa2ff4b09cc6134d642e63abc0713a4b2a41bb089dd3fc2"),
        (
            {"period": 8, "symbols": "letters"},
            4,
            "46cabb553b1df0bc63f07bbd4e494b3b9d96ba5656659fde8bb9b0c450c4c3f0",
        ),
    ],
    shown={"period": 4},
    separator=", ",
    refused=[
        ({"period": 0}, r"period=0 must be in 1\.\.max_period \(16\)"),
        ({"period": 17}, r"period=17 must be in 1\.\.max_period \(16\)"),
        ({"period": 9, "symbols": "digits"}, "needs as many different symbols and the set has 8"),
        ({"period": 3, "distinct": True}, "the set has 2; set distinct: false"),
        ({"prior_random": 1.0}, r"prior_random=1\.0 must be above 0 and below 1"),
        ({"primitive": False, "symbols": "letters"}, "set distinct: false"),
        ({"perod": 3}, "did you mean 'period'"),
    ],
)
