"""What the templates are given: plain frozen data, no database rows.

Moments are aware datetimes, days are dates, `zone` is the site's IANA zone; templates format them. Texts are already in
the reader's language. Lists are tuples. `icon` names an icon of the sprite, `tone` one of
`ok | wait | bad | off | plain`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime


@dataclass(frozen=True)
class Pill:
    """State of one thing now."""

    text: str
    tone: str
    icon: str


@dataclass(frozen=True)
class Turn:
    """Who acts now, until when, what happens by itself. `tone` is `wait | ok | bad | calm`."""

    title: str
    text: str
    icon: str
    tone: str = "wait"


@dataclass(frozen=True)
class Person:
    """A family member as the reader sees her. `relation` is a word such as 本人 or 父亲, `face` its one character.
    `reasons` say why she cannot be chosen here; empty when she can. `consent` to her reports: missing, given or
    blank."""

    id: str
    name: str
    relation: str
    face: str
    is_self: bool = False
    note: str = ""
    reasons: tuple[str, ...] = ()
    consent: str = ""


@dataclass(frozen=True)
class When:
    """A slot's time. `starts_at` is None for places counted by the day; `opening` then says when to come, if known."""

    day: date
    zone: str
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    opening: str = ""


@dataclass(frozen=True)
class Fact:
    """A named value at the foot of a ticket or in a list of facts."""

    name: str
    value: str


@dataclass(frozen=True)
class Ticket:
    """A date: `firm` (ink: it is the customer's), `asked` (dashed: not granted yet) or `past` (over or gone).
    `gone` strikes the date through. `live` is the sentence that updates by itself."""

    style: str
    label: str
    pill: Pill
    when: When
    place: str
    address: str = ""
    facts: tuple[Fact, ...] = ()
    live: str = ""
    gone: bool = False
    with_year: bool = False


@dataclass(frozen=True)
class Benefit:
    """One entitlement on the home page. `left` is None for an unlimited one. `note` is the sentence beside the tally.
    `days_left` is given only when expiry is near. `action` is empty when nothing can be booked now."""

    id: str
    name: str
    detail: str
    left: int | None
    granted: int | None
    reserved: int
    used: int
    note: str
    until: date
    days_left: int | None
    people: tuple[Person, ...]
    action: str = ""
    action_url: str = ""
    leading: bool = False


@dataclass(frozen=True)
class NextBooking:
    """The ticket on the home page."""

    id: str
    ticket: Ticket
    route_url: str = ""


@dataclass(frozen=True)
class Home:
    """`plan_line` such as `尊享计划·2026 年度，四项权益`. `chat` only if there is a consultation benefit."""

    greeting: str
    plan_line: str
    next: NextBooking | None
    benefits: tuple[Benefit, ...]
    chat_url: str = ""


@dataclass(frozen=True)
class Choice:
    """A filter's value and whether it is on."""

    value: str
    label: str
    on: bool = False


@dataclass(frozen=True)
class Place:
    """One row of the finder. `free_day` is the next day with a place, None with `reasons` when there is none.
    `tier_note` says where the tier is from and when."""

    name: str
    district: str
    address: str
    tier: str
    package: str
    times_url: str
    free_day: date | None
    free_note: str = ""
    few: bool = False
    reasons: tuple[str, ...] = ()
    change_person: bool = False
    tier_note: str = ""


@dataclass(frozen=True)
class PersonChoice:
    """Somebody the reader may book for, and the address of the same page for her."""

    person: Person
    url: str


@dataclass(frozen=True)
class Finder:
    """The place finder. `people` are those to choose from, `person` the chosen one among them. `more_url` fetches the
    next page of rows; empty at the end. `total` is None when unknown."""

    benefit: str
    title: str
    person: Person
    city: str
    query: str
    districts: tuple[Choice, ...]
    tiers: tuple[Choice, ...]
    kinds: tuple[Choice, ...]
    places: tuple[Place, ...]
    people: tuple[PersonChoice, ...] = ()
    more_url: str = ""
    total: int | None = None
    tier_source: str = ""


@dataclass(frozen=True)
class City:
    name: str
    url: str
    count: int
    words: str = ""
    current: bool = False


@dataclass(frozen=True)
class CityGroup:
    """Cities of one province. `City.words` hold what the search box matches besides the name (pinyin)."""

    name: str
    cities: tuple[City, ...]


@dataclass(frozen=True)
class Package:
    """An offer at a site. `people` says for whom it is, e.g. `女性，18 至 70 岁`; `reasons` why not for this person."""

    id: str
    name: str
    summary: str
    items: tuple[tuple[str, tuple[str, ...]], ...]
    count: int
    people: str
    fasting: str
    url: str
    chosen: bool = False
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Day:
    """A day of the strip or the month. `free` None with `closed` (a word: 约满, 休息) when it cannot be chosen;
    `wait_url` then leads to the waiting list for that day, if a place may still come free."""

    day: date
    free: int | None
    closed: str = ""
    few: bool = False
    chosen: bool = False
    url: str = ""
    wait_url: str = ""


@dataclass(frozen=True)
class Slot:
    """A time to choose; `closed` is the word that says why it cannot be."""

    id: str
    when: When
    free: int
    few: bool = False
    closed: str = ""
    chosen: bool = False


@dataclass(frozen=True)
class Month:
    """A calendar page: weeks of seven days, None where the month has not begun or is over."""

    first: date
    weeks: tuple[tuple[Day | None, ...], ...]
    before_url: str = ""
    after_url: str = ""


@dataclass(frozen=True)
class Taken:
    """The slot somebody else got first, and the nearest others. The benefit was not touched."""

    time: str
    nearest: tuple[Slot, ...]


@dataclass(frozen=True)
class Times:
    """The day-and-time picker. `entitlement` and `idempotency_key` travel in the form. `wait_url` leads to the waiting
    list for the chosen day. With `present`, it picks a new time for a booking that has that one; `who_url` is then
    blank."""

    offer: str
    site: str
    tier: str
    package: Package
    person: Person
    days: tuple[Day, ...]
    month: Month
    chosen_day: date | None
    morning: tuple[Slot, ...]
    afternoon: tuple[Slot, ...]
    zone: str
    place_zone: str
    form_action: str
    back_url: str
    who_url: str
    packages_url: str = ""
    entitlement: str = ""
    idempotency_key: str = ""
    hint: str = ""
    taken: Taken | None = None
    reasons: tuple[str, ...] = ()
    wait_url: str = ""
    present: When | None = None

    @property
    def slots(self) -> tuple[Slot, ...]:
        """All times of the chosen day."""
        return self.morning + self.afternoon

    @property
    def chosen(self) -> Slot | None:
        """The slot that is preselected, if any."""
        return next((slot for slot in self.slots if slot.chosen), None)


@dataclass(frozen=True)
class Confirm:
    """The last step of a booking. `hold_left` and `hold_total` are seconds. `price` is in minor units. `version` is the
    ETag that `confirm_live` would answer now."""

    id: str
    ticket: Ticket
    person: Person
    package: Package
    benefit_line: str
    rules: tuple[str, ...]
    answer_line: str
    hold_left: int
    hold_total: int
    price: int | None = None
    currency: str = "CNY"
    idempotency_key: str = ""
    problem: str = ""
    version: str = ""


@dataclass(frozen=True)
class Step:
    """A line of the timeline: `done | now | next | fail`. `note` names the actor or the consequence; `aside` stands in
    place of a time."""

    kind: str
    title: str
    at: datetime | None = None
    note: str = ""
    aside: str = ""


@dataclass(frozen=True)
class Hint:
    """A preparation hint."""

    icon: str
    title: str
    text: str


@dataclass(frozen=True)
class Rule:
    """A line of change and cancellation rules; `strong` is appended in bold."""

    icon: str
    text: str
    tone: str = "plain"
    strong: str = ""


@dataclass(frozen=True)
class Cancel:
    """What the sheet says before the tap. `allowed` False: `text` says why and what is left to do."""

    booking: str
    title: str
    text: str
    confirm: str
    allowed: bool = True
    idempotency_key: str = ""


@dataclass(frozen=True)
class Change:
    """The last step of a change of date: the ticket as it is, the new time, and what holds until it is agreed."""

    booking: str
    ticket: Ticket
    new: When
    slot: str
    rules: tuple[str, ...]
    back_url: str
    idempotency_key: str


@dataclass(frozen=True)
class AlternativeRow:
    """Another time, one tap from being kept. `way` says how far it is from the lost place; blank when it is there."""

    slot: str
    when: When
    place: str
    package: str
    way: str
    form_action: str
    person: str
    idempotency_key: str


@dataclass(frozen=True)
class Proposal:
    """Another time that the hospital proposes: old and new side by side, until when to answer and what happens
    without. `firm` when there is a date to keep; `reason` in the hospital's words, or blank."""

    id: str
    old: When
    new: When
    text: str
    reason: str
    firm: bool


@dataclass(frozen=True)
class BookingPage:
    """A booking in any state. `final` stops live updates. `confirm_url` is set while it is held.
    `version` is the ETag, quotes included, that `booking_live` would answer now. `dispute_url` is set while a no-show
    can be disputed; `dispute_answer` is what the desk answered. A `proposal` stands instead of the `turn`."""

    id: str
    reference: str
    title: str
    ticket: Ticket
    turn: Turn | None
    steps: tuple[Step, ...]
    zone: str
    final: bool
    hints: tuple[Hint, ...] = ()
    rules: tuple[Rule, ...] = ()
    cancel: Cancel | None = None
    route_url: str = ""
    report_url: str = ""
    confirm_url: str = ""
    again_url: str = ""
    version: str = ""
    calendar_url: str = ""
    alternatives: tuple[AlternativeRow, ...] = ()
    more_times_url: str = ""
    dispute_url: str = ""
    dispute_answer: str = ""
    change_url: str = ""
    proposal: Proposal | None = None


@dataclass(frozen=True)
class BookingRow:
    """A line of 我的预约."""

    id: str
    title: str
    place: str
    person: str
    when: When
    pill: Pill
    live: str = ""


@dataclass(frozen=True)
class WaitingPlace:
    """The place that is kept for an entry; `left` and `total` are seconds. `submitted` once it is on its way."""

    when: When
    place: str
    url: str
    left: int
    total: int
    submitted: bool = False


@dataclass(frozen=True)
class WaitingRow:
    """An entry of the waiting list: what is waited for, inside which limits. `said` is what stands with it now;
    `stop_url` is empty when it is over, `again_url` leads to a new one then."""

    id: str
    title: str
    person: str
    places: str
    days: str
    limits: str
    pill: Pill
    said: str
    held: WaitingPlace | None = None
    stop_url: str = ""
    again_url: str = ""


@dataclass(frozen=True)
class WaitingList:
    """`version` is the ETag, quotes included, that `waiting_live` would answer now; `final` when nothing changes."""

    rows: tuple[WaitingRow, ...]
    version: str
    final: bool


@dataclass(frozen=True)
class WaitingPage:
    """The form of a new entry. `earliest` and `latest` bound the days; `places` are the sites to choose from (value:
    an offer), `weekdays` ISO numbers, `parts` and `hours` pairs of value and label. `standing_url` is where the entry
    is that stands in the way."""

    site: str
    package: Package
    person: Person
    form: Form
    earliest: date
    latest: date
    places: tuple[Choice, ...]
    weekdays: tuple[Choice, ...]
    parts: tuple[tuple[str, str], ...]
    hours: tuple[tuple[str, str], ...]
    place_zone: str
    cancel_line: str
    form_action: str
    back_url: str
    who_url: str
    auto_book: bool = False
    entitlement: str = ""
    idempotency_key: str = ""
    standing_url: str = ""
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Bookings:
    """`empty_text` and `empty_url` serve the empty state of the upcoming list; `waiting` is the waiting list. `version`
    is the ETag that `bookings_live` would answer now; blank for an earlier page, which stays as it is."""

    upcoming: tuple[BookingRow, ...]
    past: tuple[BookingRow, ...]
    empty_text: str = ""
    empty_action: str = ""
    empty_url: str = ""
    more_url: str = ""
    version: str = ""
    waiting: WaitingList | None = None


@dataclass(frozen=True)
class ReportRow:
    """A line of the reports list; `ready` False while it is still to come (`due` by then)."""

    id: str
    title: str
    person: Person
    place: str
    day: date
    ready: bool
    abnormal: int = 0
    total: int = 0
    due: date | None = None
    pill: Pill | None = None
    booking_url: str = ""


@dataclass(frozen=True)
class Range:
    """Where a value lies, in percent of the bar: the reference from `low` to `high`, the value at `at`; all 0–100."""

    low: float
    high: float
    at: float


@dataclass(frozen=True)
class Item:
    """One result. `value`, `unit` and `reference` are as delivered; `flag` is a Pill when out of range; `note` is what
    the hospital remarked on it.

    `ours` is the value in our unit where that is another one, `our_reference` our ordinary range where it says more,
    `source` what decided whether the value is out of range. `change` tells what a corrected version changed.
    """

    name: str
    value: str
    unit: str = ""
    reference: str = ""
    flag: Pill | None = None
    range: Range | None = None
    meaning: str = ""
    note: str = ""
    tells: str = ""
    ours: str = ""
    our_reference: str = ""
    source: str = ""
    change: str = ""
    trend_url: str = ""


@dataclass(frozen=True)
class Section:
    name: str
    items: tuple[Item, ...]
    abnormal: int = 0


@dataclass(frozen=True)
class PaperRow:
    """A paper of a report: what it is, how large, where it opens."""

    name: str
    size: str
    url: str


@dataclass(frozen=True)
class Link:
    """Somewhere to go; `current` marks where the reader is."""

    text: str
    url: str
    current: bool = False


@dataclass(frozen=True)
class ReportPage:
    """A report. `partial` while results are still to come; `conclusion_lang` is a BCP 47 tag where the conclusion may
    be in another language than the page.

    `versions` lead to all versions, the newest first; `older` says that this is not the newest. `removed` are results
    that this version left out. `outstanding` are parts still to come, by `due`.
    """

    id: str
    title: str
    person: Person
    place: str
    day: date
    version: int
    abnormal: tuple[Item, ...]
    sections: tuple[Section, ...]
    total: int
    conclusion: str
    document_url: str = ""
    document_name: str = ""
    corrected: bool = False
    partial: bool = False
    conclusion_lang: str = ""
    papers: tuple[PaperRow, ...] = ()
    versions: tuple[Link, ...] = ()
    older: bool = False
    changed: int = 0
    removed: tuple[str, ...] = ()
    outstanding: tuple[str, ...] = ()
    due: date | None = None
    late: bool = False
    compare_url: str = ""


@dataclass(frozen=True)
class Mark:
    """A point of a chart, in the picture's units; `text` is its value, `out` when it lies outside the range drawn."""

    x: float
    y: float
    text: str
    out: bool
    above: bool
    anchor: str = "middle"


@dataclass(frozen=True)
class Chart:
    """A line of values over time, `width` × `height`. `band` is the range (top, height) if there is one; `marks` from
    left to right; `labels` are years or months at x; `title` and `told` say in words what is to be seen."""

    width: int
    height: int
    marks: tuple[Mark, ...]
    line: str
    band: tuple[float, float] | None
    bounds: tuple[tuple[float, str], ...]
    labels: tuple[tuple[float, str, str], ...]
    title: str
    told: str


@dataclass(frozen=True)
class TrendLine:
    """A row of the table beside a chart. `shown` is the value in our unit; `delivered` as the hospital gave it where
    that differs; `why` says why it stands apart."""

    day: date
    place: str
    shown: str
    delivered: str
    flag: Pill | None
    method: str
    why: str
    url: str


@dataclass(frozen=True)
class TrendPage:
    """An item over the years."""

    title: str
    person: Person
    unit: str
    tells: str
    reference: str
    chart: Chart | None
    lines: tuple[TrendLine, ...]
    apart: tuple[TrendLine, ...]
    summary: str = ""


@dataclass(frozen=True)
class PairLine:
    """An item in two reports. `sign` and `difference` say the direction."""

    name: str
    before: str
    after: str
    before_flag: Pill | None
    after_flag: Pill | None
    sign: str
    difference: str
    trend_url: str


@dataclass(frozen=True)
class ComparePage:
    """Two reports side by side; each side is its day, its place and its address."""

    person: Person
    earlier: tuple[date, str, str]
    later: tuple[date, str, str]
    notable: tuple[PairLine, ...]
    others: tuple[PairLine, ...]


@dataclass(frozen=True)
class ChooseTwo:
    """Which two reports of one person to compare; `people` leads to the others. `options` are pairs of id and text."""

    people: tuple[Link, ...]
    options: tuple[tuple[str, str], ...]
    a: str = ""
    b: str = ""
    problem: str = ""


@dataclass(frozen=True)
class AboutReport:
    """Which report a page is about."""

    id: str
    title: str
    person: str
    place: str
    day: date


@dataclass(frozen=True)
class ShareRow:
    """A link that shows a report. `looks`: who did what when, in words, the newest first."""

    id: str
    audience: str
    pill: Pill
    views: str
    expires_at: datetime
    looks: tuple[str, ...]
    open: bool
    with_code: bool


@dataclass(frozen=True)
class MadeLink:
    """A link just made: its address and access code (blank without one) are shown this once."""

    url: str
    access_code: str
    expires_at: datetime


@dataclass(frozen=True)
class SharedReport:
    """A report as somebody with a link sees it."""

    report: ReportPage
    pdf_url: str
    papers: tuple[PaperRow, ...]
    expires_at: datetime


@dataclass(frozen=True)
class ConsentPage:
    """Asking an adult of the family for consent. `state`: missing or given."""

    person: Person
    state: str
    given_at: datetime | None = None


@dataclass(frozen=True)
class SessionLine:
    """A place where the customer is signed in, since when; `device` is a word such as `Browser`."""

    id: str
    device: str
    since: datetime
    current: bool = False


@dataclass(frozen=True)
class Me:
    name: str
    plan: str
    phone: str
    family: tuple[Person, ...]
    sessions: tuple[SessionLine, ...]
    face: str = ""


@dataclass(frozen=True)
class UsageLine:
    """One ledger entry in words. `change` such as `可用 −1`; `booking_url` leads to what caused it."""

    at: datetime
    text: str
    change: str
    left: int | None
    benefit: str = ""
    booking_url: str = ""
    booking_reference: str = ""
    gain: bool = False


@dataclass(frozen=True)
class Usage:
    """The record of one benefit (`benefit` given) or of all."""

    title: str
    lines: tuple[UsageLine, ...]
    benefit: Benefit | None = None
    more_url: str = ""


@dataclass(frozen=True)
class Form:
    """What a refused form shows again: `values` by field name, `errors` by field name (one sentence each), `problem`
    for what belongs to no field."""

    values: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True)
class Code:
    """The code step: where it went, how many tries are left, how many seconds until another may be sent."""

    phone: str
    tries_left: int
    resend_wait: int
    expires_minutes: int = 10
    length: int = 6


@dataclass(frozen=True)
class NoticeRow:
    """Something the customer was told. `whose` names the person where it is not herself; `icon` and `tone` are a
    pill's."""

    id: str
    title: str
    text: str
    whose: str
    at: datetime
    icon: str
    tone: str
    unread: bool


@dataclass(frozen=True)
class Inbox:
    """Messages, newest first. `unread` is how many are new in all, `more_url` leads to earlier ones."""

    rows: tuple[NoticeRow, ...]
    unread: int
    more_url: str = ""


@dataclass(frozen=True)
class MessageSettings:
    """How she wants to be told. `phone` and `address` are masked; `address_open` waits for its code. `feed_made_at` is
    set while her calendar has an address, `feed_url` only in the answer that made it."""

    sms: bool
    email: bool
    email_offered: bool
    phone: str
    address: str
    address_open: bool
    quiet: bool
    feed_made_at: datetime | None
    feed_url: str = ""
