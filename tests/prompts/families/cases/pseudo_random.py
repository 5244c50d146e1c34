from tests.prompts.families.case import Case

CASE = Case(
    params=[
        {},
        {"kind": "thue_morse", "symbols": "digits"},
        {"kind": "fibonacci"},
        {"kind": "champernowne", "symbols": tuple("0123456789")},
        {"kind": "kolakoski", "symbols": "coin"},
        {"kind": "de_bruijn", "order": 4},
        {"kind": "de_bruijn", "order": 2, "symbols": ("a", "b", "c")},
        {"kind": "lfsr", "order": 7},
    ],
    priors=[[{"kind": "champernowne"}], [{"kind": "de_bruijn", "order": 6}], [{"kind": "lfsr", "order": 5}]],
    pinned=[
        ({}, 1, "ce84466b16ba18b175d10b802ca9ec19a89eec4c4a2e287c073d707c8c68cc0d"),
        ({"kind": "fibonacci"}, 2, "ee972cfe792984a43145e35fcba7f124e9a1a59969dde4d54d2288a4733abcd0"),
        (
            {"kind": "champernowne", "symbols": "letters"},
            3,
            "b7fef6e40dab7fb4a52ba3ea759c09b7557563086fc1cbdba023850f1b9a3d1d",
        ),
        ({"kind": "kolakoski"}, 4, "61a4a93c680ecf2481d869edaffd3a46c69127910f220c0d0e802c4821661b74"),
        (
            {"kind": "de_bruijn", "order": 5},
            5,
            "6150be2f1129764521083e73847ff501f6c85b58a5bfc07ba012d1daf8c8298f",
        ),
        (
            {"kind": "lfsr", "order": 12},
            6,
            "e1d9a6e9008a29094147bdbdc780fa79ae4b129d998b12f4c2ec690280e5641a",
        ),
    ],
    refused=[
        ({"kind": "thue-morse"}, "must be 'thue_morse' or 'fibonacci'"),
        ({"order": 4}, "kind='thue_morse' has no order and order=4; leave it null"),
        ({"kind": "lfsr"}, "kind='lfsr' needs an order"),
        ({"kind": "lfsr", "order": 13}, r"order must be in 2\.\.12"),
        ({"kind": "de_bruijn", "order": 0}, "order must be at least 1"),
        ({"kind": "de_bruijn", "order": 4, "symbols": "letters"}, r"16\*\*order at most 4096"),
        ({"kind": "de_bruijn", "order": 10**9}, "at most 4096"),
        ({"kind": "fibonacci", "symbols": "digits"}, "has 2 symbols and the set has 8"),
        ({"kind": "lfsr", "order": 4, "symbols": "digits"}, "has 2 symbols and the set has 8"),
    ],
)
