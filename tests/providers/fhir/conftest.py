"""A hospital of each test's own at the FHIR server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from providers.adapters.fhir.adapter import Fhir
from providers.adapters.fhir.server import FhirServer
from tests.fhir_servers import FhirProcess, FhirTenant

Meanwhile = Callable[[Callable[[], Any]], None]


@pytest.fixture
def hospital(fhir_server: FhirProcess) -> FhirTenant:
    """A hospital with a Schedule of twelve free Slots."""
    tenant = fhir_server.tenant()
    tenant.schedule()
    return tenant


@pytest.fixture
def slots(hospital: FhirTenant) -> list[str]:
    """Their ids, the earliest first."""
    return [each["id"] for each in sorted(hospital.all("Slot"), key=lambda slot: str(slot["start"]))]


@pytest.fixture
def adapter(hospital: FhirTenant) -> Fhir:
    """Speaks to it."""
    return hospital.adapter()


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    """Let something happen at the server right before our next transaction arrives there."""
    real = FhirServer.transaction

    def happen(what: Callable[[], Any]) -> None:
        def first_that(self: FhirServer, *args: Any) -> Any:
            monkeypatch.setattr(FhirServer, "transaction", real)
            what()
            return real(self, *args)

        monkeypatch.setattr(FhirServer, "transaction", first_that)

    return happen
