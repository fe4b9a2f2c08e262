"""Frames that no sane server sends."""

from __future__ import annotations

_DEPTH = 2_000

GARBLED = (
    "",
    "null",
    "{",
    '{"type":"FEED_DATA","channel":1}',
    '{"type":"FEED_DATA","channel":1,"data":{}}',
    '{"type":"FEED_DATA","channel":1,"data":["Quote"]}',
    '{"type":"FEED_DATA","channel":1,"data":["Quote",[1]]}',
    '{"type":"FEED_DATA","channel":1,"data":["Quote",{"eventSymbol":1}]}',
    '{"type":"FEED_DATA","channel":1,"data":[[],"Quote"]}',
    '{"type":"FEED_DATA","channel":1,"data":[null,true,1e999]}',
    '{"type":"FEED_DATA","channel":"1","data":[]}',
    '{"type":["FEED_DATA"],"channel":1,"data":[]}',
    '{"type":"FEED_DATA","channel":1,"data":["Quote",[' + "[" * _DEPTH,
    "[" * _DEPTH + "]" * _DEPTH,
    "\x00\x01\ufffd",
    "<html><body>502 Bad Gateway</body></html>",
)
"""Broken or absurd, in place of a FEED_DATA frame."""

NOISE = (
    '{"type":"GREETINGS","channel":0,"data":[1,2,3]}',
    '{"type":"FEED_DATA","channel":99,"data":["Quote",["X",1,2]]}',
    '{"type":"DOM_SNAPSHOT","channel":1,"time":0,"bids":[],"asks":[]}',
    '{"type":"CHANNEL_CLOSED","channel":7}',
    '{"type":"FEED_DATA","channel":1,"data":["Greeks",["X",0.5]]}',
    '{"type":"FEED_DATA","channel":1,"data":[]}',
    '{"type":"KEEPALIVE","channel":0,"unexpected":{"deep":[[[]]]}}',
)
"""Well-formed, and of no meaning for whoever listens to quotes."""
