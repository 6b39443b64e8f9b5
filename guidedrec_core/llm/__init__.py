"""Talking to a language model: the client, the protocol it speaks, the server's address, and the sanitising of
untrusted catalogue text.
"""
