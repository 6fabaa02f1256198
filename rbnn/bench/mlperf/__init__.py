"""``rbnn bench mlperf``: the MLPerf Tiny runner, unchanged, on an emulated board.

Its energy mode is not served: an emulated board takes no energy.
"""
