"""Training, whatever the model: the loop, losses, optimisers, device and threads, several processes, and batches padded
to few shapes.
"""
