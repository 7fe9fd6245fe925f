"""The API of insurers' programs: each route needs its scope, and what another insurer has is not there."""

from __future__ import annotations

import json

from tests.access.row import insurers_program
from tests.marketplace.api.insurer.policies import told

_NEW = told(number="PN-2026-00077", phone="13900000077")
_KEY = "=p-new"
"""Each insurer's own word for a policy."""

INSURER_API = (
    insurers_program(
        "policies",
        "POST /insurer/v1/policies",
        200,
        body=json.dumps({"key": "p-line", **_NEW}),
        headers={"Content-Type": "application/x-ndjson"},
    ),
    insurers_program(
        "policies", "PUT /insurer/v1/policies/<string(maxlength=100):key>", 200, names={"key": _KEY}, json=_NEW
    ),
    insurers_program(
        "policies", "GET /insurer/v1/policies/<string(maxlength=100):key>", 200, names={"key": "policy_key"}
    ),
    insurers_program("policies", "POST /insurer/v1/policies/snapshots", 201, json={}),
    insurers_program(
        "policies",
        "GET /insurer/v1/policies/snapshots/<id:snapshot_id>",
        200,
        names={"snapshot": "policy_snapshot"},
    ),
    insurers_program(
        "policies",
        "POST /insurer/v1/policies/snapshots/<id:snapshot_id>/complete",
        200,
        names={"snapshot": "policy_snapshot"},
    ),
    insurers_program(
        "policies",
        "GET /insurer/v1/policies/snapshots/<id:snapshot_id>/vanished",
        200,
        names={"snapshot": "policy_snapshot"},
    ),
    insurers_program("customers", "POST /insurer/v1/sign-in-links", 201, json={"policy": "{policy_key}"}),
)
