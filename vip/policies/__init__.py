"""Insurance policies: put by the insurer under a key of its own, who is insured, and on which days one is in force."""
