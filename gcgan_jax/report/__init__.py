"""Summaries over several runs: tables and plots."""
