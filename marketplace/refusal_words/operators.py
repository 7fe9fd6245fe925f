"""Refusals about what operators repair, close, join and bring in by file."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import lazy_gettext as _

from marketplace.refusal_words.words import Words

WORDS: Mapping[str, Words] = {
    "case_moved_on": Words(
        _("Things have moved on"), _("The booking has moved on since, or a command is on its way. Look at it again.")
    ),
    "not_this_repair": Words(_("Not for this discrepancy"), _("This repair does not fit this discrepancy.")),
    "not_one_place": Words(_("Not one place"), _("These two can't become one place.")),
    "not_one_place.same_place": Words(_("Not one place"), _("These two are one place already.")),
    "not_one_place.merged_already": Words(
        _("Not one place"), _("This entry is part of another place. Part it from that one first.")
    ),
    "not_one_place.closed": Words(_("Not one place"), _("One of the two is closed.")),
    "not_one_place.other_city": Words(_("Not one place"), _("These two are in different cities.")),
    "not_one_place.other_time_zone": Words(_("Not one place"), _("These two have different time zones.")),
    "closing_already": Words(
        _("Closing already"), _("Your other closure of this site is still being carried out. Take that one back first.")
    ),
    "no_such_time": Words(
        _("No slot at their time"), _("Our books have no slot at the provider's time, so it can't be taken over.")
    ),
    "table_refused": Words(
        _("This file can't be imported"), _("The file can't be read as a table. Save it as XLSX or CSV and try again.")
    ),
    "import_moved": Words(
        _("It is somewhere else now"), _("Somebody else was faster, or the import is over. Look at it again.")
    ),
    "nothing_to_import": Words(
        _("There is nothing to import"), _("Every line of the file has an error. Correct them and upload it again.")
    ),
}
