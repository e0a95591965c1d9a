"""Names, addresses and other realistic values for a simulated account."""

# ruff: noqa: RUF001, SIM905 - names with non-ASCII letters, in lists that stay readable

import random
import unicodedata
from typing import NamedTuple

DOMAIN = "nordlicht.example"

FIRST_NAMES = (
    "Ada Aino Amara Anneli Anton Asbjørn Ayşe Bastian Beatriz Björn Bronisława Chidi Chloé Dario "
    "Đorđe Elif Emre Esra Fatoumata Finn Françoise Frieda Giulia Grzegorz Hana Héctor Ingrid "
    "Ismail Jörg José Jūratė Kaito Katarína Kwame Lars Leïla Levente Linh Lúcia Magnus Malte "
    "Marit Mehmet Mei Milan Nadia Niamh Nils Noémie Oluwaseun Öykü Pavel Petra Rania Ravi Renée "
    "Sanna Šimon Sören Svetlana Tarek Thérèse Tomás Ulla Ümit Vera Wanjiru Yara Yusuf Zoë Zsófia"
).split()
LAST_NAMES = (
    "Adeyemi Ahlström Álvarez Andersson Baumgärtner Beck Çelik Chaudhry D’Angelo Diallo Dvořák "
    "Eriksen Fernández Fischer Gül Haddad Halvorsen Hoffmann Huỳnh Iglesias Ito Jørgensen Kaya "
    "Kovács Kowalczyk Krüger Lindqvist Łukasik Maurer Mbeki Müller Nakamura Ndiaye Novák Nuñez "
    "O’Connor Okafor Öztürk Petrović Popescu Quist Rasmussen Rossi Sæther Saïdi Schäfer Silva "
    "Šimek Strauß Takács Tamm Ueda Virtanen Voß Wagner Weiß Xu Yıldız Zając Zielińska"
).split()
EMOJI = ("🌊", "🚀", "🎧", "🦊", "🌻", "🏔️", "👩🏽‍💻", "🧭")

DEPARTMENTS = (
    "Vertrieb",
    "Engineering",
    "Customer Care",
    "Finance",
    "People & Culture",
    "Legal",
    "Einkauf",
    "Qualität",
    "Field Service",
    "R&D / Übertragung",
)
COMPANIES = ("Nordlicht GmbH", "Nordlicht Nederland B.V.", "Nordlicht Ibérica S.L.")
SITES = ("Kiel", "Malmö", "Gdańsk", "Porto", "Zürich", "Nairobi", "Ōsaka", "São Paulo", "Tromsø")
TEAMS = ("Sales", "Support", "Plattform", "Labor", "Leitstand", "Onboarding", "Werkstatt", "Netz")
LANGUAGES = ("de-DE", "en-US", "en-GB", "es-ES", "fr-FR", "pl-PL", "pt-PT", "sv-SE", "tr-TR")
TIME_ZONES = (
    "Europe/Berlin",
    "Europe/Stockholm",
    "Europe/Warsaw",
    "Europe/Lisbon",
    "Europe/Zurich",
    "Africa/Nairobi",
    "Asia/Tokyo",
    "America/Sao_Paulo",
)
ROLES = ("Member", "Admin", "Help desk", "Auditor")
PHONES = (("DE", "+49431"), ("SE", "+4640"), ("PL", "+4858"), ("PT", "+35122"), ("KE", "+25420"))
NOTES = (
    "Until 14:00 at the customer’s",
    "Elternzeit bis Oktober 👶",
    "Focus time, call if urgent",
    "In the lab, bad reception",
    "Vacaciones 🏖️ — contact Ravi",
    "Working from Tromsø this week",
    "Bin gleich zurück …",
    "On call: +49 431 55501",
)
ATTRIBUTES = (
    ("cbf_cost_centre", "Cost centre", (4100, 4200, 4310, 7700)),
    ("cbf_building", "Gebäude", (1, 2, 3, 12)),
    ("cbf_badge", "Badge number", (100_231, 100_874, 115_002, 130_456)),
)
# The share of group names with an emoji.
_DECORATED = 0.1

# Letters that Unicode does not decompose into an ASCII letter and a mark.
_TRANSCRIBED = str.maketrans(
    {
        "ß": "ss",
        "ø": "o",
        "Ø": "O",
        "æ": "ae",
        "ł": "l",
        "Ł": "L",
        "đ": "d",
        "Đ": "D",
        "ı": "i",
        "’": "",
    }
)


class PersonName(NamedTuple):
    """A person's name and e-mail address; the address is unique in its account."""

    first: str
    last: str
    email: str


class NameSource:
    """Makes up people: common first and last names, and addresses that never repeat."""

    def __init__(self, rng: random.Random) -> None:
        """Draw only from `rng`."""
        self._rng = rng
        self._taken: dict[str, int] = {}

    def person(self) -> PersonName:
        """Return a new person."""
        first, last = self._rng.choice(FIRST_NAMES), self._rng.choice(LAST_NAMES)
        return PersonName(first, last, self.address(first, last))

    def address(self, first: str, last: str) -> str:
        """Return an unused address for that name: anna.weiss@…, then anna.weiss2@…."""
        stem = f"{_ascii(first)}.{_ascii(last)}"
        taken = self._taken[stem] = self._taken.get(stem, 0) + 1
        return f"{stem}{taken if taken > 1 else ''}@{DOMAIN}"

    def team(self) -> str:
        """Return a group's name; names may repeat, as they may in Zoom."""
        name = f"{self._rng.choice(TEAMS)} {self._rng.choice(SITES)}"
        return f"{name} {self._rng.choice(EMOJI)}" if self._rng.random() < _DECORATED else name


def _ascii(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.translate(_TRANSCRIBED))
    return plain.encode("ascii", "ignore").decode().lower()
