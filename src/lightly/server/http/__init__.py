"""What all routes share: parameters, bodies, answers, limits."""
