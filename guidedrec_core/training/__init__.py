"""Training, whatever the model: the loop and its checkpoints, the moving average of weights, losses, optimisers, device
and threads, and several processes.
"""
