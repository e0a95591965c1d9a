"""Who is in the account, as its API lists and finds people: by status, id and address."""

from bisect import bisect_right, insort
from typing import Final

from projector.simulator.names import PersonName
from projector.simulator.people import Person

STATUSES: Final = ("active", "inactive", "pending")


class Register:
    """The people of the account; those who left are not found.

    Everybody keeps the place at which they joined first, so that a page goes on behind the last place of the
    one before, whoever leaves meanwhile. All takes little time with hundreds of thousands of people.
    """

    def __init__(self) -> None:
        """Start empty."""
        self._people: list[Person] = []
        self._by_id: dict[str, Person] = {}
        self._by_address: dict[str, Person] = {}
        self._listed: dict[str, list[int]] = {status: [] for status in STATUSES}

    def move(self, person: Person) -> None:
        """List a person under their status; one of those who left is not listed."""
        if person.place < 0:
            person.place = len(self._people)
            self._people.append(person)
            self._by_id[person.user_id] = person
        if person.listed is not None:
            places = self._listed[person.listed]
            del places[bisect_right(places, person.place) - 1]
            person.listed = None
        address = person.email.lower()
        if person.status in self._listed:
            person.listed = person.status
            insort(self._listed[person.status], person.place)
            self._by_address[address] = person
        elif self._by_address.get(address) is person:
            del self._by_address[address]

    def readdress(self, person: Person, name: PersonName) -> None:
        """Give a person another name and address."""
        del self._by_address[person.email.lower()]
        person.name = name
        self._by_address[person.email.lower()] = person

    def find(self, who: str) -> Person | None:
        """The person with that id, or address in any case; None for those who left and strangers."""
        known = self._by_id.get(who)
        if known is not None:
            return known if known.listed else None
        return self._by_address.get(who.lower())

    def count(self, status: str) -> int:
        """How many people have a status."""
        return len(self._listed[status])

    def behind(self, status: str, place: int, size: int) -> list[Person]:
        """At most `size` people of a status behind a place (-1: from the start), in the order of joining."""
        places = self._listed[status]
        start = bisect_right(places, place)
        return [self._people[p] for p in places[start : start + size]]
