from tests.prompts.families.case import Case

CASE = Case(
    params=[
        {},
        {"pattern": "0010111", "noise": 0.1, "source": "prior", "prior_random": 0.9},
        {"source": "random"},
        {"pattern": ("Heads", "Tails", "Tails"), "symbols": ("Heads", "Tails")},
        {"pattern": "abca", "symbols": "letters", "noise": 0.2},
    ],
    certain=[{}, {"pattern": ("Heads", "Tails", "Tails"), "symbols": ("Heads", "Tails")}],
    priors=[[{"source": "prior"}], [{"source": "prior", "noise": 0.1, "prior_random": 0.2}]],
    pinned=[
        ({"source": "random"}, 1, "a9861c311cac410a9302c8c72d7888260b86653f480765b3605fa8fa83edd292"),
        (
            {"pattern": "abc", "symbols": ("a", "b", "c"), "noise": 0.2, "source": "prior"},
            2,
            "4b144ac5c55dd578944f45448d13065fab18c2ec609d7d1d6a3494edb67ca691",
        ),
    ],
    separator=", ",
    refused=[
        ({"pattern": ""}, "pattern='' must be one or more symbols of the set"),
        ({"pattern": "012"}, r"pattern='012' must be one or more symbols of the set \(0, 1\)"),
        ({"pattern": "HeadsTails", "symbols": ("Heads", "Tails")}, "a list where a symbol is longer"),
        ({"noise": 0.5}, r"noise=0\.5 with 2 symbols must be at least 0 and below 0\.5"),
        ({"prior_random": 1.0}, r"prior_random=1\.0 must be above 0 and below 1"),
        ({"source": "noise"}, "must be 'pattern' or 'random' or 'prior'"),
    ],
)
