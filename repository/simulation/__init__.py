"""A rulebook tried out: a generated market, judged day by day by the real rules, and what becomes of each member.

Pure: the seed and the first day are arguments. Only `drawing` imports matplotlib.
"""
