import numpy as np

from harness.registry import load_family

AN_BN_CN = load_family("an_bn_cn")


def philox(key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=key))


def test_each_word_has_three_blocks_of_one_size() -> None:
    sequence = AN_BN_CN.sample(300, philox(1))
    text = "".join(sequence.alphabet[s] for s in sequence.symbols)
    assert text == "|".join("".join(x * word.count("a") for x in "abc") for word in text.split("|"))
    assert all(word for word in text.split("|"))


def test_all_is_certain_after_the_first_b() -> None:
    sequence = AN_BN_CN.sample(200, philox(2))
    after_a = np.append(True, np.isin(sequence.symbols, [0, 3]))  # and after a separator
    after = np.flatnonzero(~after_a[:200])
    for table in (sequence.law, sequence.observers["language"]):
        np.testing.assert_array_equal(table[after, sequence.target[after]], 1)
    assert (sequence.observers["blocks"][after, sequence.target[after]] < 1).all()


def test_who_does_not_count_expects_each_block_to_end_at_the_same_rate() -> None:
    sequence = AN_BN_CN.sample(60, philox(3), stream="word", mean_size=5.0)
    blocks = sequence.observers["blocks"]
    np.testing.assert_allclose(blocks[1:21, 1], 1 / 5, rtol=1e-9)
    np.testing.assert_allclose(blocks[21:41, 2], 1 / 5, rtol=1e-9)
    np.testing.assert_array_equal(blocks[41:, 2], 1)  # the word goes on, hence with c
