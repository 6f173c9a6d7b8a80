"""Whether a number is what it looks like; asked of python-stdnum where a country has its own rule."""

from importlib import import_module


def is_luhn(digits: str) -> bool:
    """The check digit of payment cards (ISO/IEC 7812)."""
    doubled = sum((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)[int(digit)] for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + doubled) % 10 == 0


def is_mod_97(iban: str) -> bool:
    """The check digits of an IBAN (ISO 7064)."""
    return int("".join(str(int(char, 36)) for char in iban[4:] + iban[:4])) % 97 == 1


def is_valid(number: str, modules: tuple[str, ...]) -> bool:
    """Whether one of these modules of python-stdnum takes the number; without one, any number is."""
    return not modules or any(import_module(f"stdnum.{name}").is_valid(number) for name in modules)


def international_phone(text: str) -> str:
    """The phone number that the text (from its + on) begins with, or nothing."""
    from phonenumbers import PhoneNumberMatcher  # 65 ms and some megabytes, when first needed

    found = next(iter(PhoneNumberMatcher(text, None)), None)
    return text[: found.end] if found is not None and found.start == 0 else ""
