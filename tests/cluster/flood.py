"""Runs in a namespace: sends many requests to an enrolment endpoint, all at once.

Arguments: the endpoint's host, how many requests, and the source addresses, which take turns.
The request's body is read from standard input. Prints a JSON object: how often each HTTP status
came (0 for a connection that was closed), and the different bodies of refusals (403).
"""

import asyncio
import json
import ssl
import sys
from collections import Counter

SECONDS = 120.0


async def ask(host: str, source: str, request: bytes, context: ssl.SSLContext) -> tuple[int, str]:
    try:
        async with asyncio.timeout(SECONDS):
            reader, writer = await asyncio.open_connection(
                host, 2226, ssl=context, local_addr=(source, 0)
            )
            writer.write(request)
            said = (await reader.read()).decode()
            writer.close()
    except (OSError, TimeoutError, ssl.SSLError):
        return 0, ""
    head, _, body = said.partition("\r\n\r\n")
    return int(head.split()[1]) if head else 0, body


async def main(host: str, count: int, sources: list[str], body: bytes) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    head = f"POST /v1/enrol HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}\r\n\r\n"
    request = head.encode() + body
    answers = await asyncio.gather(
        *(ask(host, sources[n % len(sources)], request, context) for n in range(count))
    )
    statuses = Counter(status for status, _ in answers)
    refusals = sorted({body for status, body in answers if status == 403})
    print(json.dumps({"statuses": statuses, "refusals": refusals}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3:], sys.stdin.buffer.read()))
