from tests.prompts.families.case import Case

CASE = Case(
    params=[{}, {"p": 0.7, "symbols": ("Heads", "Tails")}, {"p": 0.0}],
    certain=[{"p": 0.0}],
    priors=[[{}]],
    pinned=[
        ({}, 1, "c24ea6d815c97772241a9b5e267d567e2db8d2fb0c9b9ff7adeee7da8f2e87f9"),
        ({"p": 0.7}, 2, "665d581c47a6509e6d9f8bee471aacc4e3c48898b82426e75ce7f4122a7b0362"),
    ],
    separator=", ",
    template="Flips: {sequence}",
    refused=[
        ({"p": 1.5}, r"p=1\.5 must be in 0\.\.1 or 'uniform'"),
        ({"p": float("nan")}, "p=nan must be in"),
        ({"symbols": "letters"}, "symbols='letters' has 16 symbols; a coin has 2"),
        ({"symbols": "cion"}, "did you mean 'coin'"),
        ({"symbols": (0, 1)}, "quote what is meant as text"),
    ],
)
