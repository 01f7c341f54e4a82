"""Phone numbers as E.164 has them ("+4930123456"), by Google's libphonenumber. It is loaded when the first one is asked for."""

from __future__ import annotations


class NoPhoneNumber(ValueError):
    """`str` goes on after the value: "“…” is no phone number …"."""


def e164(text: str, region: str) -> str:
    """region: the country of numbers written without one (ISO 3166-1, "DE"), or "". Raises NoPhoneNumber."""
    import phonenumbers

    try:
        number = phonenumbers.parse(text, region.upper() or None)
    except phonenumbers.NumberParseException as error:
        if error.error_type == error.INVALID_COUNTRY_CODE and not region:
            raise NoPhoneNumber("has no country: it begins without “+”. Give the rule its region, like DE") from None
        raise NoPhoneNumber("is no phone number") from None
    if number.extension:
        raise NoPhoneNumber("has an extension, which E.164 cannot hold")
    if not phonenumbers.is_valid_number(number):
        raise NoPhoneNumber("is no phone number that can exist" + (f" in {region.upper()}" if region else ""))
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def is_region(region: str) -> bool:
    import phonenumbers

    return region.upper() in phonenumbers.SUPPORTED_REGIONS
