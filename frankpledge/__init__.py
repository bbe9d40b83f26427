"""The member's kit: what an insurer installs. It standardises, encodes, uploads and asks; plain data stays here.

From Python, start with `frankpledge.keys.load`, `frankpledge.records.RecordEncoder` and `frankpledge.client.Pool`.
On the command line, start with `frankpledge --help`.
"""
