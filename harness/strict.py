"""The base of everything that a suite file may say: strict types, unknown keys are errors."""

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """A section of a suite: no type is guessed, and a key nobody knows is refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
