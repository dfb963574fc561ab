"""Small things every room needs: errors, waiting, the one clock, escaping, findings, journals, folders.

It imports nothing of ours and starts nothing. Start with `errors.LabError`.
"""
