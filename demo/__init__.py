"""Three insurers share a fraud register: invented people, the real commands, and the truth to score them by."""
