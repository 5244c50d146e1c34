from tests.prompts.families.case import Case

CASE = Case(
    params=[
        {},
        {"k": 1, "depth": 1, "sizes": "uniform", "mean_size": 3.0},
        {"k": 3, "depth": 5, "mean_size": 10.0},
        {"depth": 2, "stream": "word", "mean_size": 30.0},
    ],
    priors=[[{}], [{"k": 1, "depth": depth} for depth in (1, 2, 3)]],
    pinned=[
        ({}, 1, "a8f4d23c16e6f86be9c892817420432148e02fdaa448d0108f1f40f3fce51ee8"),
        ({"k": 1, "stream": "word"}, 2, "a83b0dee730b94984d4fd9d2d9467e65ba32b0a5cfe94564f389cda4005c01f9"),
    ],
    shown={"depth": 2, "mean_size": 4.0},
    shown_length=24,
    shorter=(),
    ends=True,
    refused=[
        ({"depth": 0}, r"depth=0 must be in 1\.\.32"),
        ({"depth": 33}, r"depth=33 must be in 1\.\.32"),
        ({"k": -1}, "there must be at least 1"),
        ({"mean_size": 0.0}, r"mean_size=0\.0 must be in 1\.\.1000"),
    ],
)
