"""Phone numbers as E.164 has them ("+4930123456"), by Google's libphonenumber. It is loaded when the first one is asked for."""

from __future__ import annotations


class NoPhoneNumber(ValueError):
    """`str` goes on after the value: "“…” is no phone number …"."""


def e164(text: str, region: str) -> str:
    """region: the country of numbers written without one (ISO 3166-1, "DE"), or "". Raises NoPhoneNumber."""
    import phonenumbers

    try:
        number = phonenumbers.parse(_with_plus(text, region.upper()), region.upper() or None)
    except phonenumbers.NumberParseException as error:
        if error.error_type == error.INVALID_COUNTRY_CODE and not region:
            raise NoPhoneNumber("has no country: it begins without “+”. Give the rule its region, like DE") from None
        raise NoPhoneNumber("is no phone number") from None
    if number.extension:
        raise NoPhoneNumber("has an extension, which E.164 cannot hold")
    if not phonenumbers.is_valid_number(number):
        raise NoPhoneNumber("is no phone number that can exist" + (f" in {region.upper()}" if region else ""))
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def _with_plus(text: str, region: str) -> str:
    """Digits alone that begin with the region's own country code and are a number of it, as WhatsApp writes them: in
    countries whose numbers are of any length they would be read as one without that code, and get it twice."""
    import phonenumbers

    code = phonenumbers.country_code_for_region(region)
    if not (code and text.isascii() and text.isdigit() and text.startswith(str(code))):
        return text
    number = phonenumbers.parse(f"+{text}")
    return f"+{text}" if phonenumbers.is_valid_number_for_region(number, region) else text


def is_region(region: str) -> bool:
    import phonenumbers

    return region.upper() in phonenumbers.SUPPORTED_REGIONS
