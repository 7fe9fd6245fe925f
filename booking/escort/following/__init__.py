"""Who follows an escort besides its customer: links for the family, which show its steps and nothing else."""
