from tests.prompts.families.case import Case

CASE = Case(
    params=[
        {},
        {"shape": "ring", "n_nodes": 8, "symbols": "digits"},
        {"shape": "hexagonal", "placed": "in_order"},
        {"shape": "edges", "edges": ("0-1", "1-2", "1-3")},
        {"held_out": 5, "n_nodes": 9},
        {"n_nodes": 9, "second": "ring", "mixture": 0.3},
    ],
    priors=[[{}], [{"shape": "ring"}], [{"shape": "hexagonal", "held_out": 4}]],
    pinned=[
        ({}, 8, "c77616801c72b5b504ac733adcad6b0f73c3b78fb1e22024cf7ab02b43cd1c55"),
        (
            {"shape": "hexagonal", "held_out": 6},
            9,
            "e226bb12f3f6f76755134967aade9c3dfacd43c863408da74429e63821869e12",
        ),
        (
            {"n_nodes": 9, "second": "ring", "mixture": 0.25},
            10,
            "1a9e82f33461f1fc39c7c28d3cf70b6285dafa60e28ed919cb5dd2c9878c2808",
        ),
    ],
    shown={"n_nodes": 6},
    separator=" ",
    refused=[
        ({"shape": "ring", "n_nodes": 2}, r"no graph 'ring' has n_nodes=2 .* 3, 4, 5"),
        ({"n_nodes": 13}, r"no graph 'grid' has n_nodes=13 .* 12, 14, 15"),
        ({"shape": "hexagonal", "n_nodes": 12}, r"n_nodes=12 .* 10, 14, 16"),
        ({"n_nodes": 81}, "81 nodes, and only 64 words are ours; give symbols, 81 of them"),
        ({"symbols": "digits"}, "symbols='digits' are 8, and the graph has 16 nodes"),
        ({"shape": "edges"}, "edges=None; edges belong to shape 'edges'"),
        ({"edges": ("0-1",)}, r"shape='grid' with edges=\('0-1',\)"),
        ({"shape": "edges", "edges": ("0-1",), "n_nodes": 3}, "n_nodes=3, and edges name 2 nodes"),
        ({"shape": "edges", "edges": ("0-1", "1-0")}, "none twice"),
        ({"shape": "edges", "edges": ("0-1", "2-2")}, "none from a node to itself"),
        ({"shape": "edges", "edges": ("0-1", "3-1")}, "without a gap"),
        ({"shape": "edges", "edges": ("0-1", "2-3")}, "do not connect all nodes"),
        ({"shape": "edges", "edges": ("0-1", "1:2")}, "edge '1:2' must be two node numbers"),
        ({"shape": "edges", "edges": ("0-1", "a-b")}, "edge 'a-b' must be two node numbers"),
        ({"held_out": 25}, r"held_out=25 must be in 0\.\.24"),
        ({"held_out": -1}, r"held_out=-1 must be in 0"),
        ({"held_out": 1, "second": "ring", "mixture": 0.5}, "set one of them"),
        ({"mixture": 0.5}, r"mixture=0\.5 must be in 0\.\.1, and 0 without a second graph"),
        ({"second": "hexagonal", "n_nodes": 9, "mixture": 0.5}, "no graph 'hexagonal' has n_nodes=9"),
    ],
)
