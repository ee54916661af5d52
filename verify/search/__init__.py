"""Search for the worst loss: the adversary chooses the loss itself, and not only the point, to refute a claim."""
