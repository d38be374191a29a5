"""The system that runs on boards, and in simulation as it is there."""
