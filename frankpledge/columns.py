"""The columns that the kit knows: what each belongs to, and what else people call it."""

from __future__ import annotations

from matching.vocabulary import BASIS

NAME_COLUMNS = ("given_name", "family_name", "date_of_birth", "national_id", "driving_licence", "sex")
CONTACT_COLUMNS = ("house_number", "street", "town", "postcode", "country", "phone", "email", "bank_account")
PERSON_COLUMNS = (*NAME_COLUMNS, *CONTACT_COLUMNS)
VEHICLE_COLUMNS = ("vehicle_registration", "vin")
ORGANISATION_COLUMNS = ("organisation_name", "company_number")
SUBJECT_COLUMNS = (*PERSON_COLUMNS, *VEHICLE_COLUMNS, *ORGANISATION_COLUMNS)

CLAIM_COLUMNS = {
    "incident_date": "incident_date",
    "notification_date": "notification_date",
    "claim_kind": "kind",
    "amount_band": "amount_band",
    "claim_status": "status",
}
"""Input column of a claim's fact -> its name in the encoded filing."""

BASIS_COLUMNS = {name: name for names in BASIS.values() for name in names}
"""Input column of what the time of a filing counts from -> its name in the encoded filing."""

LABEL_COLUMNS = {
    "tlp": "tlp",
    "source_grade": "source",
    "information_grade": "information",
    "handling_code": "code",
}
"""Input column of a handling label -> its name in the encoded filing."""

ROLE_COLUMNS = ("role", "vehicle_role", "organisation_role")
FILING_COLUMNS = ("ref", "class", "line", "date", *CLAIM_COLUMNS, *BASIS_COLUMNS, *LABEL_COLUMNS)
CANONICAL = (*FILING_COLUMNS, *ROLE_COLUMNS, *SUBJECT_COLUMNS)

JOINABLE = ("given_name", "house_number", "street", "bank_account", "organisation_name")
"""Columns that several columns of the input may be mapped to; their values are joined by a space, in file order."""

ALIASES = {
    "ref": ("reference", "policy number", "policy ref", "claim number", "claim reference", "record id"),
    "class": ("record class", "record type"),
    "line": ("line of business", "product line", "product"),
    "date": ("start", "start date", "inception date", "quote date", "filing date"),
    "incident_date": ("date of loss", "loss date", "accident date"),
    "notification_date": ("date notified", "reported date"),
    "claim_kind": ("claim type", "cause of loss", "peril"),
    "amount_band": ("claim amount band", "reserve band"),
    "claim_status": ("status",),
    "customer_kind": ("quote or policy", "policy status", "proposal or policy"),
    "policy_end": ("end date", "policy end date", "expiry date", "cancellation date", "lapse date", "termination date"),
    "closed_on": ("closed date", "date closed", "closure date", "settlement date"),
    "decided_on": ("decision date", "date of decision"),
    "tlp": ("traffic light protocol", "tlp colour", "tlp marking"),
    "source_grade": ("source evaluation", "source reliability"),
    "information_grade": ("information evaluation", "information reliability"),
    "handling_code": ("handling", "dissemination code"),
    "role": ("party type", "party role", "capacity"),
    "vehicle_role": ("vehicle party role",),
    "organisation_role": ("provider type", "organization role", "supplier type"),
    "given_name": ("first name", "forename", "forenames", "given names", "christian name", "middle name"),
    "family_name": ("surname", "last name", "second name"),
    "date_of_birth": ("dob", "birth date", "birthday", "born"),
    "house_number": ("house no", "building number", "house name", "property number", "street number"),
    "street": ("address line 1", "address", "road", "street name"),
    "town": ("city", "suburb", "post town", "locality"),
    "postcode": ("post code", "postal code", "zip", "zip code"),
    "country": ("country code", "nation"),
    "phone": ("telephone", "mobile", "phone number", "mobile number", "telephone number"),
    "email": ("e-mail", "email address", "mail"),
    "national_id": ("national insurance number", "nino", "ssn", "social security number", "national identifier"),
    "driving_licence": ("driving license", "licence number", "driver number", "dln"),
    "bank_account": ("iban", "account number", "sort code", "bank details"),
    "vehicle_registration": ("registration", "registration mark", "vrm", "vrn", "number plate", "reg no"),
    "vin": ("vehicle identification number", "chassis number"),
    "organisation_name": ("organization name", "company name", "business name", "firm", "trading name"),
    "company_number": ("company registration number", "companies house number", "crn"),
    "sex": ("gender",),
}
"""Other headings in use, compared loosely and only to propose a mapping."""
