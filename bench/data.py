"""What is booked: sites, one offer at each of the better ones with 60 days of slots, and customers.

Everything a booking needs follows from its number n by arithmetic (`Numbers`), so that the bare client and the HTTP
client book the same things without reading anything first.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg

from bench.stage import CannotMeasure, Stage
from marketplace.catalog.importer import import_sites
from marketplace.catalog.site_rows import COLUMNS
from marketplace.core import clock
from marketplace.demo.people import KIND, load_people, make_customers

SITES = 4402
DAYS, TIMES = 60, 12
A_POOL = DAYS * TIMES
SOLD_OUT = 10 * TIMES  # the first ten days have no place left
BOOKABLE = A_POOL - SOLD_OUT - 1
HOT = A_POOL - 1  # the last slot of the first pool takes everybody
FIRST_DAY = 2  # days from today: beyond every lead time
PACKAGE: dict[str, Any] = {
    "items": [{"code": f"item_{n}", "name_zh": f"检查项目{n}", "name_en": f"Examination {n}"} for n in range(30)],
    "sex": "any",
    "age_min": 18,
    "age_max": 90,
    "fasting": {"hours": 8, "hint_zh": "检查前八小时请勿进食", "hint_en": "Do not eat for eight hours before"},
}


@dataclass(frozen=True)
class Numbers:
    """First internal ids and counts; ids go up by one from there, in the order of the numbers."""

    customers: int
    pools: int
    first_customer: int
    first_beneficiary: int
    first_entitlement: int
    first_offer: int
    first_slot: int
    provider: int
    insurer: int
    first_day: date

    @property
    def people(self) -> int:
        """How many can be booked for at one time: every customer and her father."""
        return 2 * self.customers


@dataclass(frozen=True)
class Booker:
    """A customer as the API knows her."""

    token: str
    people: tuple[str, str]


@dataclass(frozen=True)
class Loaded:
    """What was loaded. Offers are those of the pools, in their order."""

    numbers: Numbers
    bookers: list[Booker]
    cities: list[str]
    names: list[str]

    def request(self, n: int, *, hot: bool) -> tuple[str, dict[str, str]]:
        """The token and the body of booking n, as bare.SPREAD and bare.HOT choose them."""
        numbers = self.numbers
        booker = self.bookers[n % numbers.customers]
        round_ = n // numbers.people
        pool = 0 if hot else n % numbers.pools
        time = HOT if hot else SOLD_OUT + (n % numbers.customers + round_) % BOOKABLE
        return booker.token, {
            "offer_id": offer_id(pool),
            "slot_id": "slt_" + _short_hash(f"{pool}-{time}"),
            "beneficiary_id": booker.people[n // numbers.customers % 2],
        }


def offer_id(pool: int) -> str:
    """The public id of the offer that draws on a pool."""
    return "ofr_" + _short_hash(f"offer-{pool}")


def _short_hash(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()[:20]


def load(where: Stage, *, slots: int, customers: int) -> Loaded:
    """Fill the database. Raises CannotMeasure if HOSPITALS_CSV cannot be used."""
    pools = min(slots // A_POOL, SITES)
    now = clock.now()
    _load_sites(where)
    load_people(now)
    made = make_customers(customers, KIND, None, now)
    with psycopg.connect(where.superuser_url, autocommit=True) as connection:
        first_day = clock.today(clock.HOME_ZONE, now) + timedelta(days=FIRST_DAY)
        _load_offers(connection, pools, first_day)
        numbers = _numbers(connection, made[0].customer_public_id, customers, pools, first_day)
        rows = connection.execute(
            "SELECT public_id FROM beneficiary WHERE id >= %s ORDER BY id", [numbers.first_beneficiary]
        ).fetchall()
        people = [row[0] for row in rows]
        cities = connection.execute(
            "SELECT city FROM site s JOIN offer o ON o.site_id = s.id GROUP BY city ORDER BY count(*) DESC, city"
        ).fetchall()
        names = connection.execute("SELECT name FROM site ORDER BY public_id").fetchall()
        connection.execute("VACUUM ANALYZE")
    bookers = [Booker(one.token, (people[2 * n], people[2 * n + 1])) for n, one in enumerate(made)]
    return Loaded(numbers, bookers, [row[0] for row in cities], [row[0] for row in names])


def _load_sites(where: Stage) -> None:
    given = os.environ.get("HOSPITALS_CSV")
    path = Path(given) if given else where.folder / "sites.csv"
    if not given:
        _invent_sites(path)
    result = import_sites(path, good_rows=True)
    if not result.inserted:
        raise CannotMeasure(f"No site could be imported from {path}.")


def _invent_sites(path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.DictWriter(file, COLUMNS, restval="")
        lines.writeheader()
        for n in range(SITES):
            province, city = f"示范{n % 31:02d}省", f"示范{n % 317:03d}市"
            kind = ("人民医院", "中心医院", "中医院", "体检中心", "妇幼保健院")[n % 5]
            tier = ("三级甲等", "三级乙等", "二级甲等", "")[min(n % 7, 3)]
            row = {"name": f"{city[:-1]}第{n // 317 + 1}{kind}", "alias": f"示范{n}医院", "district": f"第{n % 9}区"}
            row |= {"province": province, "city": city, "tier": tier, "kind": "综合", "source": "sample"}
            lines.writerow({**row, "address": f"示范路{n}号"})


def _load_offers(connection: psycopg.Connection, pools: int, first_day: date) -> None:
    values = {"pools": pools, "day": first_day, "package": json.dumps(PACKAGE), "times": A_POOL, "out": SOLD_OUT,
              "hot": HOT}  # fmt: skip
    connection.execute(
        "INSERT INTO provider (public_id, code, name_zh, name_en, adapter, base_url)"
        " VALUES ('prv_00000000000000000000', 'bench', '和馨', 'Hexin', 'open_protocol', 'http://127.0.0.1:9')"
    )
    connection.execute(
        """
        WITH place AS (SELECT id, row_number() OVER (ORDER BY tier IS DISTINCT FROM '三级甲等', id) - 1 AS n FROM site)
        INSERT INTO capacity_pool (public_id, provider_id, site_id, external_ref)
        SELECT 'pol_' || substr(md5('pool-' || n), 1, 20), p.id, place.id, 'pool-' || n
          FROM place, provider p WHERE p.code = 'bench' AND n < %(pools)s ORDER BY n
        """,
        values,
    )
    connection.execute(
        """
        INSERT INTO offer (public_id, provider_id, site_id, pool_id, kind, external_ref, name_zh, name_en, package,
                           price_minor, certified)
        SELECT 'ofr_' || substr(md5('offer-' || n), 1, 20), provider_id, site_id, id, 'health_check', 'offer-' || n,
               '甄选体检套餐', 'Select health check', %(package)s, 98000 + 100 * (n %% 50), true
          FROM (SELECT *, row_number() OVER (ORDER BY id) - 1 AS n FROM capacity_pool) AS pool ORDER BY n
        """,
        values,
    )
    connection.execute(
        """
        INSERT INTO slot (public_id, pool_id, external_ref, service_date, starts_at, ends_at, offered, capacity)
        SELECT 'slt_' || substr(md5(n || '-' || t), 1, 20), pool.id, 's-' || t, %(day)s::date + t / 12,
               start, start + interval '30 min', places, places
          FROM (SELECT id, row_number() OVER (ORDER BY id) - 1 AS n FROM capacity_pool) AS pool,
               generate_series(0, %(times)s - 1) AS t,
               LATERAL (SELECT %(day)s::date + t / 12 * interval '1 day' + t %% 12 * interval '30 min' AS start,
                               CASE WHEN n = 0 AND t = %(hot)s THEN 10000000 WHEN t < %(out)s THEN 0 ELSE 20 END
                               AS places) AS figures
         ORDER BY n, t
        """,
        values,
    )


def _numbers(
    connection: psycopg.Connection, first_customer: str, customers: int, pools: int, first_day: date
) -> Numbers:
    row = connection.execute(
        """
        SELECT c.id, b.id, e.id, (SELECT min(id) FROM offer), (SELECT min(id) FROM slot), o.provider_id, c.insurer_id
          FROM customer c JOIN beneficiary b ON b.customer_id = c.id AND b.relation = 'self'
          JOIN entitlement e ON e.customer_id = c.id, offer o
         WHERE c.public_id = %s LIMIT 1
        """,
        [first_customer],
    ).fetchone()
    if row is None:
        raise CannotMeasure("The customers were not made.")
    customer, beneficiary, entitlement, offer, slot, provider, insurer = row
    numbers = Numbers(customers, pools, customer, beneficiary, entitlement, offer, slot, provider, insurer, first_day)
    out_of_line = connection.execute(
        """
        SELECT (SELECT count(*) FROM beneficiary b
                 WHERE b.id >= %(b)s AND b.customer_id <> %(c)s + (b.id - %(b)s) / 2)
             + (SELECT count(*) FROM entitlement e WHERE e.id >= %(e)s AND e.customer_id <> %(c)s + e.id - %(e)s)
             + (SELECT count(*) FROM slot s JOIN offer o USING (pool_id)
                 WHERE (s.id - %(s)s) / 720 <> o.id - %(o)s OR s.external_ref <> 's-' || (s.id - %(s)s) %% 720)
        """,
        {"c": numbers.first_customer, "b": numbers.first_beneficiary, "e": numbers.first_entitlement,
         "s": numbers.first_slot, "o": numbers.first_offer},
    ).fetchone()  # fmt: skip
    if out_of_line is None or out_of_line[0]:
        raise CannotMeasure(f"{out_of_line} rows are not numbered in the order they were made.")
    return numbers
