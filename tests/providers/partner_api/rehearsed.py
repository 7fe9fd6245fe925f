"""A partner's program in test mode, for a job of her CI: it asks for a rehearsal, answers what comes as the handbook
says, and ends by whether it has passed. It imports nothing of ours.

    python rehearsed.py URL CLIENT SECRET SITE SEED BOOKINGS
"""

from __future__ import annotations

import sys
import time
import uuid
from queue import Empty
from typing import Any

from first_booking import Partner, listen, offer, say

SECONDS = 280
FAULTS = ["lost_answer", "duplicate", "out_of_order", "clock_skew", "gone", "late"]
TYPES = ["booking.requested", "booking.cancelled", "booking.cancel_asked"]


class Bookings:
    """What is known of bookings, and what is left to answer."""

    def __init__(self, partner: Partner) -> None:
        self.partner = partner
        self.had: set[str] = set()
        self.versions: dict[str, int] = {}

    def take(self, event: dict[str, Any]) -> None:
        """An event: nothing for one that was had, or is older news."""
        booking = event["booking"]
        if event["id"] in self.had or booking["version"] < self.versions.get(booking["id"], 0):
            return
        self.had.add(event["id"])
        self.versions[booking["id"]] = booking["version"]
        if event["kind"] == "booking.requested":
            self.confirm(booking["id"])

    def confirm(self, booking: str) -> None:
        """Confirm it as it was looked at; a lost answer is asked for again under the same key, a no is looked at."""
        key = str(uuid.uuid4())
        for _try in range(3):
            known = self.partner.ask("GET", f"/bookings/{booking}")
            if known.json()["booking"]["status"] != "requested":
                return
            headers = {"If-Match": known.headers["ETag"], "Idempotency-Key": key}
            answer = self.partner.ask("POST", f"/bookings/{booking}/confirm", headers=headers)
            while answer.status_code == 503:
                time.sleep(1)
                answer = self.partner.ask("POST", f"/bookings/{booking}/confirm", headers=headers)
            if answer.status_code < 300:
                return


def main() -> None:
    """From nothing to a verdict."""
    url, client, secret, site, seed, bookings = sys.argv[1:]
    partner = Partner(url, client, secret)
    offer(partner, site)
    say("published", partner.publish(200))
    key = [""]
    port, told = listen(key)
    hook = {"url": f"http://127.0.0.1:{port}/anxiang", "event_types": TYPES}
    key[0] = partner.send("POST", "/webhook-endpoints", json=hook).json()["secret"]
    wanted = {"faults": FAULTS, "bookings": int(bookings), "seed": int(seed)}
    rehearsal = partner.send("POST", "/test/rehearsals", json=wanted).json()["id"]
    say("rehearsing", rehearsal)
    mine, until = Bookings(partner), time.monotonic() + SECONDS
    while time.monotonic() < until:
        try:
            mine.take(told.get(timeout=1)["data"])
        except Empty:
            it = partner.send("GET", f"/test/rehearsals/{rehearsal}").json()
            if it["passed"] is not None:
                for each in it["results"]:
                    say(each["number"], each["fault"], each["state"], each["reason"])
                say("passed" if it["passed"] else "failed", it["right"], it["wrong"], it["not_tried"])
                return
    say("not ended")


if __name__ == "__main__":
    main()
