"""The server side of DXLink: a state machine without sockets, and its thin shell."""
