"""A set with random choice in constant time and an order that depends only on the seed."""

import random
from collections.abc import Iterator
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Pool(Generic[Item]):
    """An unordered collection of distinct hashable items.

    A `set` allows no random choice in constant time, and its order changes from process to process,
    which would break determinism by seed.
    """

    __slots__ = ("_items", "_places")

    def __init__(self) -> None:
        """Start empty."""
        self._items: list[Item] = []
        self._places: dict[Item, int] = {}

    def __len__(self) -> int:
        """Count the items."""
        return len(self._items)

    def __contains__(self, item: object) -> bool:
        """Tell whether the item is in the pool."""
        return item in self._places

    def __iter__(self) -> Iterator[Item]:
        """Iterate in an order that depends only on the additions and removals so far."""
        return iter(self._items)

    def add(self, item: Item) -> None:
        """Add the item unless it is there already."""
        if item not in self._places:
            self._places[item] = len(self._items)
            self._items.append(item)

    def discard(self, item: Item) -> None:
        """Remove the item if it is there; the last item takes its index."""
        place = self._places.pop(item, None)
        if place is None:
            return
        last = self._items.pop()
        if place < len(self._items):
            self._items[place] = last
            self._places[last] = place

    def pick(self, rng: random.Random) -> Item:
        """Return a random item; raises IndexError if there is none."""
        return self._items[int(rng.random() * len(self._items))]

    def newest(self) -> Item:
        """Return the last item: the one added last, if none was removed since. Raises IndexError if empty."""
        return self._items[-1]
