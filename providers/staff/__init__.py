"""Members of a provider: what each may do at the desk, their accounts, invitations."""
