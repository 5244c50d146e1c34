from tests.prompts.families.case import Case

GUPTA = {"biases": (0.75, 0.25), "changes": (50,)}

CASE = Case(
    params=[
        {},
        GUPTA,
        {"hazard": 0.2, "biases": (0.9, 0.5, 0.1)},
        {"changes": (5, 6, 40), "symbols": "pair"},
        {"biases": (1.0, 0.0), "changes": (30,)},
    ],
    certain=[{"biases": (1.0, 0.0), "changes": (30,)}],
    priors=[[{"hazard": 0.05}]],
    pinned=[
        ({}, 1, "52d66e25b5b9a3623d3935f7d3648337a3ba3e3e45ace775755d8626ee114b49"),
        ({**GUPTA, "changes": (100,)}, 2, "deff614f55fa13291bdb512a2ce44fd211c422aa094710975cb0de2a066dfd3f"),
    ],
    separator=", ",
    refused=[
        ({"hazard": 0.0}, r"hazard=0\.0 must be above 0 and below 1"),
        ({"symbols": "letters"}, "symbols='letters' has 16 symbols; a coin has 2"),
        ({"biases": (0.5,)}, r"biases=\(0\.5,\) must be two or more numbers in 0\.\.1"),
        ({"biases": (0.5, 1.1)}, "must be two or more numbers in"),
        ({"changes": ()}, r"changes=\(\) must be ascending positions from 1 on"),
        ({"changes": (0, 5)}, "must be ascending positions from 1 on"),
        ({"changes": (7, 5)}, "must be ascending positions from 1 on"),
        ({"biases": (0.5, 0.1), "changes": (7, 9)}, "2 biases and 2 changes; there must be one bias more"),
    ],
)
