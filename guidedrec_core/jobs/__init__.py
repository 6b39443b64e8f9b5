"""Jobs: long work in a process of its own, with a record on disk that the app and the command line read."""
