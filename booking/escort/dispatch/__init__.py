"""What the clock does: asking one worker after the other, watching those who were asked, and asking people at last."""
