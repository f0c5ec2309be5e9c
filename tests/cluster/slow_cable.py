"""A bad cable: passes Ethernet frames between two interfaces late, and loses some.

Arguments: the interfaces, milliseconds at least and at most, and the part that is lost, 0 to 1.
Runs on its own, in the network namespace of the interfaces. Not every kernel has netem.
"""

import heapq
import random
import selectors
import socket
import sys
import time

ETH_P_ALL = 3
PACKET_OUTGOING = 4
FRAME_BYTES = 65536
# More than a cable can hold is lost.
FRAMES = 4096


def opened(interface: str) -> socket.socket:
    made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    made.bind((interface, 0))
    made.setblocking(False)
    return made


def main(one: str, other: str, least: float, most: float, lost: float) -> None:
    ends = (opened(one), opened(other))
    selector = selectors.DefaultSelector()
    for index, end in enumerate(ends):
        selector.register(end, selectors.EVENT_READ, index)
    waiting: list[tuple[float, int, bytes]] = []
    while True:
        now = time.monotonic()
        while waiting and waiting[0][0] <= now:
            _, index, frame = heapq.heappop(waiting)
            try:
                ends[index].send(frame)
            except OSError:
                pass
        for key, _ in selector.select(waiting[0][0] - now if waiting else None):
            frame, address = ends[key.data].recvfrom(FRAME_BYTES)
            if address[2] == PACKET_OUTGOING or random.random() < lost or len(waiting) >= FRAMES:
                continue
            due = time.monotonic() + random.uniform(least, most) / 1000
            heapq.heappush(waiting, (due, 1 - key.data, frame))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *map(float, sys.argv[3:]))
