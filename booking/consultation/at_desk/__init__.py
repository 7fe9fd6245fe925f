"""What clinicians see and note at their desk beside what is said: who is in hand, the patient, internal notes."""
