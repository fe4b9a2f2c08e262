"""DXLink: a protocol state machine without sockets and a thin asyncio shell."""
