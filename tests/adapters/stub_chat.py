"""How stub servers hear a chat: the text that its template makes, and whether a begun answer is gone on with."""

from typing import Any, Literal

_CLOSING = "</a>a>"  # as many tokens as characters

Style = Literal["", "final", "prefix", "continue"]
"""Which way of beginning an answer is gone on with: none, any last message by the assistant, one with prefix: true,
or continue_final_message beside the messages."""


Dictation = Literal["", "anew", "resumed"]
"""Whether the model writes out the last line of a message of several lines, and what it does with an answer of its
own that it finds closed: begin again, or pick up where it ended."""


def heard(body: dict[str, Any], style: Style, *, dictation: Dictation, drops_first: bool) -> tuple[str, str]:
    """The text that the model reads, and what is left of a line it was told to write, "" if there was none."""
    asked, last = body["messages"][0]["content"], body["messages"][-1]
    asked = asked[1:] if drops_first else asked
    begun = last["content"] if last["role"] == "assistant" else ""
    gone_on = (
        bool(begun)
        and {
            "": False,
            "final": True,
            "prefix": last.get("prefix") is True,
            "continue": body.get("continue_final_message") is True
            and body.get("add_generation_prompt") is False,
        }[style]
    )
    line = asked.rpartition("\n")[2] if dictation and "\n" in asked else ""
    resumed = (gone_on or dictation == "resumed") and line.startswith(begun)
    return asked + begun + ("" if gone_on or not begun else _CLOSING), line[len(begun) :] if resumed else line
