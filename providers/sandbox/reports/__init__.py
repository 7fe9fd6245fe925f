"""What this provider reports: items and values, the PDF, and files in every form."""
