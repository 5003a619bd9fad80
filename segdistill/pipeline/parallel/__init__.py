"""The matrix of a profile in parallel: its jobs, the processes and machines they run on."""
