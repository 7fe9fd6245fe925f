"""The insurer's policies: filtered, searched by number or phone, as a table, and one by one."""

from __future__ import annotations

from flask import Response, make_response, request, url_for

from marketplace import wording
from marketplace.core import clock
from marketplace.core.errors import Invalid, TooMany
from marketplace.web.answers import Views, asked, field, retry_after, see_other
from marketplace.web.console import session
from marketplace.web.console.answers import SHOWN, console_page
from marketplace.web.console.policies import policies_page
from vip.policies import at_desk
from vip.policies.at_desk import PolicyInFull, Wanted


def policies() -> Response:
    """The list. The search is a form that is sent, so that no number stands in an address."""
    if request.method == "POST":
        return _found(field("wanted", 60))
    chosen = _chosen()
    page = at_desk.policies(session.operator(), chosen, cursor=asked("after") or None, limit=SHOWN, now=clock.now())
    more = _url("console.policies", chosen, after=page.next) if page.next else ""
    return _list(chosen, tuple(map(policies_page.row, page.items)), more_url=more)


def policies_csv() -> Response:
    """The list's policies as a table."""
    name, content = at_desk.table(session.operator(), _chosen(), now=clock.now())
    answer = make_response(content)
    answer.content_type = "text/csv; charset=utf-8"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def policy(policy: str) -> Response:
    """One policy, its number masked."""
    return _one(at_desk.policy(session.operator(), policy, now=clock.now()))


def policy_number(policy: str) -> Response:
    """The same with its number, which is recorded."""
    return _one(at_desk.policy_with_number(session.operator(), policy, now=clock.now()))


def _one(found: PolicyInFull) -> Response:
    return console_page("policy", "policies", it=policies_page.policy(found))


def _found(wanted: str) -> Response:
    try:
        found = at_desk.find(session.operator(), wanted, now=clock.now())
    except TooMany as refusal:
        page = _list(Wanted(), None, wanted=wanted, problem=wording.sentence(refusal), status=refusal.status)
        return retry_after(page, refusal)
    if len(found) == 1:
        return see_other(url_for("console.policy", policy=found[0].public_id))
    return _list(Wanted(), tuple(map(policies_page.row, found)), wanted=wanted, searched=True)


def _list(
    chosen: Wanted,
    rows: tuple[policies_page.PolicyLine, ...] | None,
    *,
    wanted: str = "",
    problem: str = "",
    more_url: str = "",
    searched: bool = False,
    status: int = 200,
) -> Response:
    return console_page(
        "policies",
        "policies",
        status,
        rows=rows,
        filters=policies_page.filters(chosen, searched=searched or bool(problem)),
        wanted=wanted,
        problem=problem,
        searched=searched,
        more_url=more_url,
        csv_url=_url("console.policies_csv", chosen) if rows and not searched else "",
    )


def _chosen() -> Wanted:
    """What the address asks for. Raises Invalid(field="ends_within") for what is no number of days."""
    within = asked("ends_within", 4)
    if within and not (within.isascii() and within.isdecimal()):
        raise Invalid(field="ends_within", reason="not_offered")
    return Wanted(asked("standing", 20), int(within or 0))


def _url(endpoint: str, chosen: Wanted, after: str | None = None) -> str:
    return url_for(endpoint, standing=chosen.standing or None, ends_within=chosen.ends_within or None, after=after)


VIEWS: Views = {
    "policies": policies,
    "policies_csv": policies_csv,
    "policy": policy,
    "policy_number": policy_number,
}
