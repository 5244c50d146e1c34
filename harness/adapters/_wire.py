"""The shapes of OpenAI-compatible JSON as servers really write it, checked as it enters.

A reply is paid for, so a field that nothing depends on never makes it
unreadable: usage, log-probabilities or an echo of no known shape become None,
and what needs them says so. Fields that are only compared are not checked at
all, which on this path is time.
"""

from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import (
    BaseModel,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    field_validator,
)

from harness.adapters._usage import Usage

T = TypeVar("T")
_THINKS, _THOUGHT = "<think>", "</think>"  # servers without a reasoning parser leave the tags in the text


def _lenient(value: object, handler: ValidatorFunctionWrapHandler) -> object:
    try:
        return handler(value)
    except ValidationError:
        return None


Lenient = Annotated[T | None, WrapValidator(_lenient)]


@dataclass(frozen=True, slots=True)
class TopToken:
    """One of the most probable tokens at a position."""

    token: str
    logprob: float


@dataclass(frozen=True, slots=True)
class ContentToken:
    """One generated token as chats and Responses write it."""

    token: str
    logprob: float | None = None
    top_logprobs: list[TopToken] | None = None


class Logprobs(BaseModel):
    """Log-probabilities in either shape; the fields of the other shape are None."""

    tokens: list[str] | None = None
    token_logprobs: list[float | None] | None = None
    top_logprobs: list[dict[str, float] | None] | None = None
    text_offset: list[int] | None = None
    content: list[ContentToken] | None = None

    @field_validator("top_logprobs", mode="before")
    @classmethod
    def _one_position(cls, value: object) -> object:
        # Together's package declares one object where its service and all others send a list of them.
        return [value] if isinstance(value, dict) else value


@dataclass(frozen=True, slots=True)
class PromptToken:
    """A token of vLLM's `prompt_logprobs`: by its id, the one that stands there or an alternative."""

    logprob: float
    decoded_token: str | None = None


PromptLogprobs = list[dict[str, PromptToken] | None]


class Error(BaseModel):
    """An error object; OpenRouter puts the words of the provider behind it into `metadata`."""

    code: int | str | None = None
    message: str | None = None
    type: str | None = None
    metadata: Lenient[dict[str, Any]] = None


class Part(BaseModel):
    """A part of a message: text, refusal or thinking, as Mistral and the Responses API write them."""

    type: str | None = None
    text: str | None = None
    refusal: str | None = None
    thinking: Any = None
    logprobs: Lenient[list[ContentToken]] = None


class Message(BaseModel):
    """An answer in a chat."""

    content: str | list[Part] | None = None
    refusal: str | None = None
    reasoning_content: object = None
    reasoning: object = None

    @property
    def said(self) -> str:
        """Its text, parts joined."""
        if isinstance(self.content, list):
            return "".join(part.text or "" for part in self.content if part.thinking is None)
        return self.content or ""

    @property
    def thinks(self) -> bool:
        """Whether it has parts of thinking."""
        return isinstance(self.content, list) and any(part.thinking is not None for part in self.content)


class Choice(BaseModel):
    """One of the n answers."""

    index: object = None  # a number where the server counts its choices
    text: str | None = None
    message: Message | None = None
    logprobs: Lenient[Logprobs] = None
    finish_reason: object = None  # a word, or null
    error: Error | str | None = None
    prompt_logprobs: Lenient[PromptLogprobs] = None  # vLLM's completions
    prompt_token_ids: Lenient[list[int]] = None  # vLLM's, asked for by return_token_ids

    @property
    def answer(self) -> str:
        """What was generated as an answer, reasoning left out; "" if nothing was."""
        if self.message is None:
            return self.text or ""
        text = self.message.said
        if _THOUGHT in text:
            return text.rpartition(_THOUGHT)[2]
        return "" if text.lstrip().startswith(_THINKS) else text

    @property
    def thought(self) -> bool:
        """Whether reasoning came with the answer or instead of it."""
        message = self.message
        if message is None:
            return False
        tagged = _THOUGHT in message.said or message.said.lstrip().startswith(_THINKS)
        return tagged or message.thinks or bool(message.reasoning_content or message.reasoning)


class Envelope(BaseModel):
    """What a reply says of itself besides its answer."""

    model: Lenient[str] = None
    provider: Lenient[str] = None  # OpenRouter: who answered
    usage: Lenient[Usage] = None
    error: Error | str | None = None


class Echoed(BaseModel):
    """Together's echo of a prompt, which stands beside the choices."""

    logprobs: Lenient[Logprobs] = None


class Item(BaseModel):
    """A part of the output of the Responses API: the message, or reasoning before it."""

    type: str | None = None
    content: Lenient[list[Part]] = None


class Incomplete(BaseModel):
    """Why the Responses API stopped early."""

    reason: str | None = None


class Payload(Envelope):
    """A whole reply, of completions, of a chat or of the Responses API."""

    choices: list[Choice] = []
    prompt: Lenient[list[Echoed]] = None  # Together
    output: list[Item] | None = None  # Responses
    status: Lenient[str] = None  # Responses
    incomplete_details: Lenient[Incomplete] = None  # Responses
