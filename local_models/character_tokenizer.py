"""The tokenizer of a recipe: one character is one token, BOS comes first, anything else is unknown."""

from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors

BOS_TOKEN = "<s>"
UNKNOWN_TOKEN = "<unk>"


def save_character_tokenizer(directory: Path, symbols: str, positions: int) -> None:
    """Write tokenizer.json and its configuration, as AutoTokenizer reads them.

    Token 0 is BOS, 1 unknown, then `symbols` in order; `positions` is the most
    tokens the model accepts.
    """
    from transformers import PreTrainedTokenizerFast

    vocabulary = {token: i for i, token in enumerate((BOS_TOKEN, UNKNOWN_TOKEN, *symbols))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=UNKNOWN_TOKEN))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), behavior="isolated")
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BOS_TOKEN} $A", pair=f"{BOS_TOKEN} $A $B", special_tokens=[(BOS_TOKEN, 0)]
    )
    tokenizer.decoder = decoders.Fuse()
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=BOS_TOKEN,
        unk_token=UNKNOWN_TOKEN,
        model_max_length=positions,
        clean_up_tokenization_spaces=False,
    ).save_pretrained(directory)
