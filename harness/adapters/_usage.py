"""Tokens billed, as OpenAI-compatible services count them: cached, written to a cache, hidden."""

from pydantic import AliasChoices, BaseModel, Field


class _PromptDetails(BaseModel):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None


class _CompletionDetails(BaseModel):
    reasoning_tokens: int | None = None


class Usage(BaseModel):
    """Tokens billed, in the words of chats or of the Responses API."""

    prompt_tokens: int | None = Field(None, validation_alias=AliasChoices("prompt_tokens", "input_tokens"))
    completion_tokens: int | None = Field(
        None, validation_alias=AliasChoices("completion_tokens", "output_tokens")
    )
    total_tokens: int | None = None
    prompt_tokens_details: _PromptDetails | None = Field(
        None, validation_alias=AliasChoices("prompt_tokens_details", "input_tokens_details")
    )
    completion_tokens_details: _CompletionDetails | None = Field(
        None, validation_alias=AliasChoices("completion_tokens_details", "output_tokens_details")
    )
    prompt_cache_hit_tokens: int | None = None  # DeepSeek
    cached_tokens: int | None = None  # where it stands outside the details
    reasoning_tokens: int | None = None  # SGLang

    @property
    def hidden(self) -> int:
        """Completion tokens spent on reasoning."""
        details = self.completion_tokens_details
        return (details and details.reasoning_tokens) or self.reasoning_tokens or 0

    @property
    def cached(self) -> int:
        """Prompt tokens read from the provider's cache."""
        details = self.prompt_tokens_details
        return (details and details.cached_tokens) or self.prompt_cache_hit_tokens or self.cached_tokens or 0

    @property
    def cache_written(self) -> int:
        """Prompt tokens written to the provider's cache."""
        details = self.prompt_tokens_details
        return (details and details.cache_write_tokens) or 0

    @property
    def completed(self) -> int | None:
        """Completion tokens, hidden ones included: xAI counts those apart, which the total shows."""
        if self.completion_tokens is None:
            return None
        apart = (self.prompt_tokens or 0) + self.completion_tokens + self.hidden == self.total_tokens
        return self.completion_tokens + (self.hidden if apart else 0)
