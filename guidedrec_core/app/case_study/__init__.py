"""The Case study page: why is this recommended to this user?"""
