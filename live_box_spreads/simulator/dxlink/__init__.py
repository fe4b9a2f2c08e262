"""DXLink as a server speaks it: a state machine without sockets, and its thin shell."""
