"""URL -> bytes, politely and safely. The one door to requests, urllib3 and protego.

`Fetcher` is all there is to know; see docs/fetching.md for what it promises to publishers.
"""

from aggregator.fetch.answers import validators_after
from aggregator.fetch.fetcher import Fetcher, user_agent
from aggregator.fetch.pace import pace_file

__all__ = ["Fetcher", "pace_file", "user_agent", "validators_after"]
