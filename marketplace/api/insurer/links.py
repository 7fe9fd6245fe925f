"""Links by which the insurer's app opens the pages for its customer: `/sign-in-links`."""

from __future__ import annotations

from typing import Any

from marshmallow import fields as out

from marketplace.api.insurer.door import Resource, caller, needs
from marketplace.api.insurer.forms import LONGEST_KEY
from marketplace.core import clock
from marketplace.core.config import settings
from marketplace.core.errors import NotFound, TooMany
from marketplace.rest.fields import Answer, Request, Text
from marketplace.rest.programs import without_key
from marketplace.rest.views import reads_body, refuses
from vip.insurers import bring
from vip.insurers.bring import Bringer

LONGEST_PATH = 500

blueprint = Resource("links", __name__, description="Bringing a customer whom your app has signed in to our pages.")


class NewSignInLink(Request):
    """Whom to bring, and where to."""

    policy = Text(
        shortest=1,
        longest=LONGEST_KEY,
        required=True,
        metadata={"description": "Your key of a policy whose holder your app has signed in.", "examples": ["p-7f3a"]},
    )
    path = Text(
        longest=LONGEST_PATH,
        pattern=r"/([!-.0-\[\]-~][!-\[\]-~]*)?",
        load_default="/",
        metadata={"description": "The page to open, a path of this site.", "examples": ["/bookings"]},
    )


class SignInLink(Answer):
    """A link, shown this once: open it in the customer's browser at once."""

    id = out.String(required=True)
    url = out.String(required=True, metadata={"format": "uri"})
    expires_at = out.DateTime(required=True)


@blueprint.route("/sign-in-links", methods=["POST"], endpoint="create")
@needs("customers")
@reads_body
@without_key
@refuses(NotFound, TooMany)
@blueprint.arguments(NewSignInLink())
@blueprint.response(201, SignInLink)
def create(body: dict[str, Any]) -> Any:
    """Make a link

    It is good for 60 seconds and once. Its page asks for one tap, so that a program which looks at links ahead of
    people uses nothing up. Each call makes another link; one that is not used is over by itself.
    """
    program = caller()
    bringer = Bringer(program.id, program.client, program.insurer_id, program.secret_id)
    made = bring.make_link(bringer, body["policy"], body["path"], now=clock.now())
    return {"id": made.id, "url": f"{settings().public_url}/arrive/{made.token}", "expires_at": made.expires_at}
