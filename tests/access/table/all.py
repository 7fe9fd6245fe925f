"""All lines, door by door."""

from __future__ import annotations

from tests.access.table.console import CONSOLE
from tests.access.table.customer_api import CUSTOMER_API
from tests.access.table.desk import DESK
from tests.access.table.insurer_api import INSURER_API
from tests.access.table.open import OPEN, PROOF
from tests.access.table.pages import PAGES
from tests.access.table.partner_api import PARTNER_API

TABLE = (*OPEN, *PROOF, *CUSTOMER_API, *PARTNER_API, *INSURER_API, *PAGES, *DESK, *CONSOLE)
