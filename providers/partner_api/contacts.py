"""Who is written to when something of the provider's needs its people: `/contacts`."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow import fields as out

from booking.idempotency import Repeatable
from booking.webhooks import contacts
from booking.webhooks.contacts import Contact
from booking.webhooks.endpoints import By
from marketplace.core import clock
from marketplace.core.errors import Busy, Invalid
from marketplace.rest import idempotency
from marketplace.rest.fields import Answer, Choice, Items, Request, Text
from marketplace.rest.views import reads_body, refuses
from providers.partner_api.door import Resource, caller, needs

blueprint = Resource("contacts", __name__, description="Who is written to when your endpoints stop.")


class NewContact(Request):
    """A mail box, and in which language it is written to."""

    email = Text(shortest=1, longest=254, required=True, metadata={"examples": ["it@partner.example"]})
    language = Choice("zh", "en", load_default="zh")


class NewContacts(Request):
    """All contacts. Those that are not named here are written to no more."""

    items = Items(ma.fields.Nested(NewContact), least=0, most=contacts.MOST, required=True)


class PartnerContact(Answer):
    """A mail box, and in which language it is written to."""

    email = out.String(required=True)
    language = out.String(required=True)


class PartnerContacts(Answer):
    """All contacts."""

    items = out.List(out.Nested(PartnerContact), required=True)


@blueprint.route("/contacts")
@needs("webhooks")
@blueprint.response(200, PartnerContacts)
def contact_list() -> Any:
    """Your contacts"""
    return {"items": contacts.contacts_of(caller().provider_id)}


@blueprint.route("/contacts", methods=["PUT"])
@needs("webhooks")
@reads_body
@refuses(Invalid, Busy)
@blueprint.arguments(NewContacts())
@blueprint.response(200, PartnerContacts)
@blueprint.doc(parameters=[idempotency.PARAMETER])
def set_contacts(body: dict[str, Any]) -> Any:
    """Say who is written to

    Each gets an e-mail when an endpoint of yours is paused because it failed for five days, or ended by a 410.
    """
    given = [Contact(each["email"], each["language"]) for each in body["items"]]
    repeat = Repeatable(caller().scope_of_keys, idempotency.key(), idempotency.fingerprint(body))
    by = By("provider", caller().client)
    contacts.set_contacts(caller().provider_id, given, by=by, now=clock.now(), repeat=repeat)
    return contact_list()
