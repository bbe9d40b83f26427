"""How a name is written again by someone who hears it, or reads it in another alphabet: Muhammad, Mohammed, Mohamed.

Pairs of spellings are of two kinds: names of one family of spellings (Seán and Shaun, Yusuf and Yousef), and rules of
the language that a name comes from (Polish accents are dropped, w is heard as v). Both follow the usual romanisation
tables and what registries tell of them; nothing here is taken from the encoder's own tables, which must not be told
what it will be asked.
"""

from __future__ import annotations

import re
import unicodedata
from random import Random

ROMANISED = "romanised"
"""The origin of Arabic, Persian and Urdu names, which Faker has in their own letters only."""

MALE = (
    "Mohammed Muhammad Mohamed Mohammad Mohamad", "Ahmed Ahmad Ahmet", "Hussain Hussein Husain Hussien", "Ali Aly",
    "Yusuf Yousef Youssef Yousuf Yusef", "Omar Umar Omer", "Ibrahim Ebrahim Ibraheem", "Hassan Hasan Hassaan",
    "Abdulrahman Abdul-Rahman Abdurrahman Abdelrahman", "Khalid Khaled Khalad", "Tariq Tarek Tareq Tarik",
    "Imran Emran Imraan", "Bilal Billal Belal", "Mustafa Mustapha Moustafa", "Zain Zayn Zane", "Faisal Faysal Feisal",
    "Saeed Said Sayeed Saied", "Usman Osman Othman Uthman", "Karim Kareem Kerim", "Jamal Gamal Jamaal",
    "Nasir Naser Nasser", "Rashid Rasheed Rachid", "Salman Selman", "Hamza Hamzah", "Ismail Ismael Esmail",
)  # fmt: skip
FEMALE = (
    "Fatima Fatimah Fatma Fathima", "Aisha Ayesha Aysha Aischa", "Khadija Khadijah Khadeeja", "Maryam Mariam Maryem",
    "Zainab Zaynab Zeinab Zeynep", "Amina Aminah Ameena", "Layla Leila Laila Leyla", "Noor Nour Nur",
    "Sara Sarah Saara", "Yasmin Yasmeen Jasmin Yasemin", "Hafsa Hafsah Hafza", "Samira Sameera Samirah",
    "Rukhsana Ruksana Rukhsaana", "Nasreen Nasrin Nesrin", "Farida Fareeda Faridah", "Sumaya Sumayyah Soumaya",
    "Nadia Nadiya Nadya", "Salma Selma Salmah", "Huda Houda Hoda", "Shazia Shaziya Shahzia",
)  # fmt: skip
FAMILY = (
    "Chaudhry Choudhury Chowdhury Chaudhary Choudhry", "Sheikh Shaikh Shaykh", "Syed Sayed Sayyid Saiyed",
    "Qureshi Quraishi Qureishi Koreshi", "Siddiqui Siddique Siddiqi Seddiqi", "Malik Malek Mallick", "Khan Khaan Kahn",
    "Rahman Rehman Rahaman Rahmaan", "Begum Begam Beegum", "Akhtar Akhter Akther", "Iqbal Ikbal Eqbal",
    "Hossain Hussain Hossein Husain", "Mahmood Mahmoud Mehmood Mahmud", "Aziz Azeez Asis", "Abdullah Abdulla Abdallah",
    "Hashemi Hashimi Hachemi", "Karimi Kareemi", "Mirza Meerza Mirzaa", "Ansari Ansary Ansaari", "Javed Javaid Jawed",
    "Haq Huq Haque", "Islam Eslam", "Butt Bhat Bhatt", "Raza Reza Rza", "El-Sayed Elsayed Alsayed", "Zaman Zamaan",
    "Mansour Mansoor Mansur", "Farooq Faruk Farouk Farooqi", "Nawaz Navaz", "Saleh Salih Saaleh", "Bashir Basheer",
    "Ghani Gani Ghanee", "Yaqub Yaqoob Jakub Yakub", "Latif Lateef Letif", "Amin Ameen", "Kazmi Kazimi Qazmi",
)  # fmt: skip
OTHERS = (
    "Seamus Séamus Shamus James", "Sean Seán Shaun Shane", "Siobhan Siobhán Shivaun", "Niamh Neve Neeve",
    "Aoife Eefa Ife", "Caoimhe Keeva Kweeva", "Eoin Owen Eoghan", "Padraig Patrick Pádraig Padraic", "Aine Anya Áine",
    "Diarmuid Dermot Diarmaid", "Maeve Maebh Meabh", "Roisin Rosheen Róisín", "Ciaran Kieran Kieron",
    "Krzysztof Christopher Kristof", "Wojciech Voytek Wojtek", "Piotr Peter", "Katarzyna Katherine Kasia",
    "Małgorzata Margaret Malgosia", "Paweł Paul Pavel", "Michał Michael", "Agnieszka Agnes", "Jan John",
    "Lakshmi Laxmi Lakshmee", "Krishna Krushna Crishna", "Vijay Wijay Bijay", "Priya Preeya Pria", "Deepak Dipak",
    "Chukwu Chuku Chukwo", "Okafor Okafo Okaphor", "Adebayo Adebayor Debayo", "Ogunleye Ogunley Ogunleyé",
)  # fmt: skip
_PLAIN = str.maketrans("łŁđĐøØßæ", "lLdDoOsa")


def _families(*lines: str) -> dict[str, tuple[str, ...]]:
    """Each spelling with those it stands beside; a spelling of several families keeps to its first."""
    found: dict[str, tuple[str, ...]] = {}
    for names in map(str.split, lines):
        for name in names:
            found.setdefault(name.lower(), tuple(other for other in names if other.lower() != name.lower()))
    return found


ALIKE = _families(*MALE, *FEMALE, *FAMILY, *OTHERS)
RULES: dict[str, tuple[tuple[str, str], ...]] = {
    "pl_PL": (
        ("w", "v"), ("j", "y"), ("sz", "sh"), ("cz", "ch"), ("rz", "zh"), ("ska$", "ski"), ("ki$", "ky"), ("ch", "h"),
    ),
    "en_IN": (
        ("ee", "i"), ("oo", "u"), ("aa", "a"), ("sh", "s"), ("v", "w"), ("w", "v"), ("th", "t"), ("dh", "d"),
        ("kh", "k"), ("bh", "b"), ("ksh", "x"), ("y$", "i"), ("a$", "ah"), ("an$", "en"),
    ),
    "en_NG": (
        ("chukwu", "chuku"), ("kw", "qu"), ("oluwa", "olu"), ("ogun", "ogu"), ("ph", "f"), ("i$", "ie"), ("y", "i"),
    ),
    "en_IE": (("^mc", "mac"), ("^mac", "mc"), ("^o'", "o"), ("^o'", ""), ("gh", "h"), ("ea", "a"), ("ey$", "y")),
    ROMANISED: (
        ("ou", "u"), ("oo", "u"), ("ee", "i"), ("ei", "ai"), ("kh", "k"), ("q", "k"), ("dh", "d"), ("^al", "el"),
        ("h$", ""),
    ),
}  # fmt: skip
"""What is heard for what, by origin; ^ and $ are the ends of the name. Names of other origins have no rules."""


class Romanised:
    """Names written from Arabic letters, each in one of its spellings; drawn as Faker draws those of a locale."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311 - a repeatable market, no secret

    def first_name_male(self) -> str:
        """A given name of men."""
        return self._of(MALE)

    def first_name_female(self) -> str:
        """A given name of women."""
        return self._of(FEMALE)

    def last_name(self) -> str:
        """A family name."""
        return self._of(FAMILY)

    def _of(self, lines: tuple[str, ...]) -> str:
        # A few families of names are frequent, the others rare, as in a register of births.
        line = lines[int(len(lines) * self._random.random() ** 2)]
        return self._random.choice(line.split())


def respell(name: str, origin: str, random: Random) -> str:
    """The name as another clerk writes it down; the same where nothing is known of its origin."""
    alike = ALIKE.get(name.lower(), ())
    plain = unaccented(name)
    heard = [changed for changed in _heard(plain, origin) if changed.lower() != plain.lower()]
    if plain != name and (not alike or random.random() < 0.5):
        return plain
    if alike and (not heard or random.random() < 0.7):
        return random.choice(alike)
    return random.choice(heard) if heard else name


def unaccented(name: str) -> str:
    """The name in letters without accents."""
    parts = unicodedata.normalize("NFKD", name.translate(_PLAIN))
    return "".join(letter for letter in parts if not unicodedata.combining(letter))


def _heard(name: str, origin: str) -> list[str]:
    return [re.sub(old, new, name.lower(), count=1).title() for old, new in RULES.get(origin, ())]
