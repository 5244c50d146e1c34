from tests.prompts.families.case import Case

CASE = Case(
    params=[{}, {"x": 0.15, "a": 0.6, "symbols": ("u", "v", "w"), "memory": 0}, {"x": 0.1, "a": 1.0}],
    priors=[[{}], [{"x": 0.2, "a": 0.9}]],
    pinned=[
        ({}, 4, "d4221398893ce63ac3655cea4da42994f1ff4958ba0d80c8f12c397b735cbfa5"),
        ({"x": 0.15, "a": 0.6}, 5, "e41891ccb964e79454314b80fe223f8acd7c95e376d2096a4fd4a9f1d56c1efb"),
    ],
    refused=[
        ({"x": 0.0}, r"mess3\(x=0\.0, a=0\.85\): x must be above 0"),
        ({"a": 1.5}, r"mess3\(x=0\.05, a=1\.5\)"),
        ({"symbols": "binary"}, "has 2 symbols; mess3 with x = 0.05, a = 0.85 has 3"),
        ({"memory": -1}, "memory=-1 must be >= 0"),
        ({"depth": -1}, "depth=-1 must be >= 0"),
    ],
)
