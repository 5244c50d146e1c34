from tests.prompts.families.case import Case

CASE = Case(
    params=[{}, {"n_bits": 1}, {"n_bits": 3, "symbols": ("a", "b")}, {"n_bits": 64}],
    priors=[[{}], [{"n_bits": 3}]],
    pinned=[
        ({}, 1, "de367e204a4dea2d13463afd1864257b9b2868fc5de9657ee72901874ed222a9"),
        ({"n_bits": 3}, 2, "f2b258bb1410c0fc7b8afdb3f4869df48c8a24a66b792f3716663ce7f1350409"),
    ],
    shown={"n_bits": 3},
    shown_length=22,
    refused=[
        ({"n_bits": 0}, r"n_bits=0 must be in 1\.\.64"),
        ({"n_bits": 65}, r"n_bits=65 must be in 1\.\.64"),
        ({"symbols": "digits"}, "bits have 2"),
        ({"symbols": ("0", "=")}, "all distinct"),
        ({"symbols": ("0", "|")}, "separates the words"),
    ],
)
