"""The sandbox: who gains and loses exposure if scores, weights, prices or stock changed, without retraining."""
