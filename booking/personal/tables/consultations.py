"""Columns about consultations and the clinicians who answer them."""

from __future__ import annotations

from booking.personal.register import Table, all_process, medical, process
from booking.personal.tables.common import NO_BYTES, NONE

TABLES = (
    Table(
        "conversation_offer",
        file="consultation_offers",
        whose="t.conversation_id IN ({talks})",
        other="id shift_id member_id",
        personal=all_process("state offered_at expires_at ended_at"),
        links={"conversation_id": "conversation"},
    ),
    Table(
        "conversation_escalation",
        file="consultation_escalations",
        whose="t.conversation_id IN ({talks})",
        other="id",
        personal=all_process("step at"),
        links={"conversation_id": "conversation"},
    ),
    Table(
        "conversation_handover",
        file="consultation_handovers",
        whose="t.conversation_id IN ({talks})",
        other="id from_member_id to_member_id",
        personal=all_process("at"),
        links={"conversation_id": "conversation"},
    ),
    Table(
        "conversation_choice",
        file="consultation_choices",
        whose="t.conversation_id IN ({talks})",
        other="id",
        personal=all_process("choice call_back_at at"),
        links={"conversation_id": "conversation"},
    ),
    Table(
        "conversation_picture",
        file="consultation_pictures",
        whose="t.message_id IN (SELECT m.id FROM conversation_message m WHERE m.conversation_id IN ({talks}))",
        other="id",
        personal={
            "public_id": medical("id"),
            "sealed": medical("sealed", never="its bytes are a file in `pictures`", ends=NO_BYTES),
            "thumbnail_sealed": medical("small", never="a small copy of the picture", ends=NO_BYTES),
            "size": medical("size", ends="0"),
            "width": medical("width"),
            "height": medical("height"),
        },
        links={"message_id": "conversation_message"},
    ),
    Table(
        "conversation_delivery",
        file="consultation_deliveries",
        whose="t.conversation_id IN ({talks})",
        other="id key provider_id tries run_after lease_until",
        personal=all_process("reason state sent_at finished_at refusal"),
        links={"conversation_id": "conversation", "message_id": "conversation_message"},
    ),
    Table(
        "conversation_line",
        file="consultation_lines",
        whose="t.conversation_id IN ({talks})",
        other="id",
        personal={
            "digest_sealed": medical("digest", never="a fingerprint of the message, which is exported", ends=NONE),
            **all_process("seq their_id"),
        },
        links={"conversation_id": "conversation", "message_id": "conversation_message"},
    ),
    Table(
        "conversation_message",
        file="consultation_messages",
        whose="t.conversation_id IN ({talks})",
        other="id member_id outside_clinician_id",
        personal={
            "public_id": medical("id"),
            "body_sealed": medical("text", reader="message", ends=NONE),
            **{each: medical(each) for each in ("seq", "client_message_id", "author", "kind", "at")},
        },
        links={"conversation_id": "conversation"},
    ),
    Table(
        "conversation_note",
        file="consultation_notes",
        whose="t.conversation_id IN ({talks})",
        other="id public_id member_id",
        personal={
            "body_sealed": process("note", never="what clinicians note for each other", ends=NONE),
            **all_process("at"),
        },
        links={"conversation_id": "conversation"},
    ),
    Table(
        "conversation_read",
        file="consultation_read_marks",
        whose="t.conversation_id IN ({talks})",
        other="id member_id looked_at",
        personal=all_process("seq read_at typing_at"),
        links={"conversation_id": "conversation"},
    ),
    Table(
        "conversation",
        file="consultations",
        whose="t.id IN ({talks})",
        other="id provider_id last_seq clinician_id absent_id outside outside_clinician_id their_seq their_version"
        " listen_at",
        personal={
            "public_id": process("id"),
            **all_process("department language flagged_at first_message_at first_answer_at opened_at closed_at"),
            **all_process("handed_back_at reports_agreed_at"),
        },
        links={"booking_id": "booking"},
    ),
    # what patients are told of a provider's clinicians, and when they work
    Table(
        "clinician",
        "member_id provider_id shown_name title_zh title_en licence departments languages lead verified_at verified_by"
        " created_at updated_at",
    ),
    Table(
        "consultation_phrase",
        "id public_id provider_id member_id department name text_zh text_en position created_at updated_at removed_at",
    ),
    Table(
        "outside_clinician",
        "id public_id provider_id code name title_zh title_en licence verified_at verified_by listed_at created_at"
        " updated_at",
    ),
    Table(
        "clinician_shift",
        "id member_id provider_id capacity lead in_hand began_at break_since missed_at seen_at ended_at",
    ),
)
