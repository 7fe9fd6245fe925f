"""The desk's pages about canned phrases: the lists, a new one, and one that is changed, moved or removed."""

from __future__ import annotations

from flask import Response, flash, request, url_for
from flask_babel import gettext as _

from booking.consultation.at_desk.in_hand import departments_of
from booking.consultation.at_desk.phrases import (
    LONGEST_NAME,
    LONGEST_TEXT,
    MOST_PHRASES,
    Phrase,
    Wording,
    add,
    change,
    move,
    phrases_of,
    remove,
)
from marketplace import wording
from marketplace.core.database.moment import now_by_database
from marketplace.core.errors import NotFound, Refusal
from marketplace.web.answers import Views, field, see_other
from marketplace.web.department_names import department_name
from marketplace.web.desk.answers import desk_page
from marketplace.web.desk.consulting.present import present
from marketplace.web.language import by_language
from marketplace.web.parts import Form

_STEPS = {"up": -1, "down": 1}


def phrases() -> Response:
    """Both lists, and a new phrase."""
    if request.method != "POST":
        return _listed(Form())
    said, shared = _sent(), field("list", 10) == "shared"
    try:
        add(present(), said, shared=shared, now=now_by_database())
    except NotFound:
        raise
    except Refusal as refusal:
        return _listed(_refused(said, refusal, {"list": "shared" if shared else "own"}), refusal.status)
    flash(_("The phrase is there."), "ok")
    return see_other(url_for("desk.phrases"))


def phrase(phrase: str) -> Response:
    """One of them: the form, and what it does. Raises NotFound for one that she may not change."""
    who, now = present(), now_by_database()
    do = field("do", 10)
    if request.method != "POST":
        return _one(phrase, Form(_values(_found(phrase).wording)))
    if do in _STEPS:
        move(who, phrase, _STEPS[do], now=now)
    elif do == "remove":
        remove(who, phrase, now=now)
        flash(_("The phrase is removed."), "ok")
    elif do == "change":
        said = _sent()
        try:
            change(who, phrase, said, now=now)
        except NotFound:
            raise
        except Refusal as refusal:
            return _one(phrase, _refused(said, refusal), refusal.status)
        flash(_("The phrase is changed."), "ok")
    else:
        raise NotFound()
    return see_other(url_for("desk.phrases"))


def _listed(form: Form, status: int = 200) -> Response:
    found = phrases_of(present())
    lists = [
        *([("own", _("Your own"), found.own, True)] if found.has_own else []),
        ("shared", _("Shared by all doctors here"), found.shared, found.may_share),
    ]
    names = departments_of(present().provider_id)
    return desk_page(
        "consulting/phrases",
        "phrases",
        status,
        lists=lists,
        names={code: department_name(code, names) for code in _codes(found.own + found.shared)},
        form=form,
        may_add=[(code, name) for code, name, _rows, may in lists if may],
        most=MOST_PHRASES,
        **_choices(),
    )


def _one(phrase: str, form: Form, status: int = 200) -> Response:
    found = _found(phrase)
    return desk_page("consulting/phrase", "phrases", status, phrase=found, form=form, **_choices())


def _found(phrase: str) -> Phrase:
    """One that she may change. Raises NotFound."""
    found = phrases_of(present())
    mine = (*found.own, *(found.shared if found.may_share else ()))
    for each in mine:
        if each.id == phrase:
            return each
    raise NotFound(field="phrase_id")


def _choices() -> dict[str, object]:
    """What the form of a phrase offers and how long its texts may be."""
    names = departments_of(present().provider_id)
    return {
        "departments": [("", _("All departments")), *((code, by_language(name)) for code, name in names.items())],
        "longest_name": LONGEST_NAME,
        "longest": LONGEST_TEXT,
    }


def _codes(found: tuple[Phrase, ...]) -> set[str]:
    return {each.wording.department for each in found if each.wording.department}


def _sent() -> Wording:
    zh, en = (request.form.get(name, "").replace("\r\n", "\n") for name in ("zh", "en"))
    return Wording(request.form.get("name", ""), field("department", 40), zh, en)


def _values(said: Wording) -> dict[str, str]:
    return {"name": said.name, "department": said.department, "zh": said.zh, "en": said.en}


def _refused(said: Wording, refusal: Refusal, more: dict[str, str] | None = None) -> Form:
    values = {**_values(said), **(more or {})}
    if refusal.at in values:
        return Form(values, {refusal.at or "": wording.sentence(refusal)})
    return Form(values, problem=wording.sentence(refusal))


VIEWS: Views = {"phrases": phrases, "phrase": phrase}
