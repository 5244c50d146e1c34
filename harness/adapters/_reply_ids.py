"""Replies that went to the wrong call: recognised by an id that another call's reply has borne already."""

import re
from collections import OrderedDict
from typing import Literal

Seen = Literal["new", "again", "foreign"]

# Shorter ids repeat by chance: some servers count, or draw from a thousand.
_ID = re.compile(rb'"id"\s*:\s*"([^"]{16,})"')
_KEPT = 8192  # last ids; a reply is mixed up with one of about the same time
_CONSTANT = 5  # calls that share the only id ever seen: on this server an id says nothing


class ReplyIds:
    """The ids of the last replies of one model, and of which question each was the answer."""

    def __init__(self) -> None:
        self._asked: OrderedDict[bytes, int] = OrderedDict()
        self._repeated: dict[bytes, int] = {}
        self._constant = False

    def seen(self, body: bytes, question: int) -> Seen:
        """Return whether a reply bears the id of an earlier one, to the same question or to another.

        The same question may be answered from a cache, with the same id.
        Servers without ids, or with one for all replies, are not suspected.
        """
        found = _ID.search(body)
        if found is None or self._constant:
            return "new"
        name = found[1]
        if name not in self._asked:
            self._asked[name] = question
            if len(self._asked) > _KEPT:
                self._asked.popitem(last=False)
            return "new"
        if self._asked[name] == question:
            return "again"
        self._repeated[name] = self._repeated.get(name, 1) + 1
        # One reply given again and again among others is wrong each time.
        self._constant = len(self._asked) == 1 and self._repeated[name] >= _CONSTANT
        return "new" if self._constant else "foreign"
