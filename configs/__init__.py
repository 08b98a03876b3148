"""Configs of runs: `default` defines all fields, the others override some of them."""
