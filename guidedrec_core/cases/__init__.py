"""One user under study, with the items recommended: frozen results that the app and the command line show."""
