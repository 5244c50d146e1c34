from tests.prompts.families.case import Case

CASE = Case(
    params=[
        {},
        {"chains": 1, "symbols": "coin"},
        {"chains": 30, "library": 7, "novel": 0.3, "alpha": 0.3, "symbols": ("a", "b", "c")},
        {"novel": 1.0},
    ],
    priors=[
        [{}],
        [{"chains": 16, "novel": 0.5, "alpha": 0.5, "symbols": ("a", "b", "c")}],
    ],
    pinned=[
        ({}, 1, "ec6d6efa81b2157be4d1fee6bbc4a2ce4809128fbeb16b2331bebfd8b459af60"),
        ({"novel": 1.0, "library": 3}, 2, "03cd56fdaa35c45d65e86402d9c894d640f07ceb0349a2d5d677999a8baefece"),
    ],
    separator=", ",
    refused=[
        ({"chains": 0}, r"chains=0 must be in 1\.\.4096"),
        ({"library": -1}, r"library=-1 must be in 0\.\."),
        ({"novel": 1.1}, r"novel=1\.1 must be in 0\.\.1"),
        ({"alpha": 0.05}, r"alpha=0\.05 must be finite and at least 0\.1"),
    ],
)
