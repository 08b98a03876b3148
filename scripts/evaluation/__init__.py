"""Can the scores be trusted?"""
