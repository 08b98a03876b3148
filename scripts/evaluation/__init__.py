"""Training, calibration and verification of the evaluation's networks and scores."""
