/* Quorum, fencing and HA. */

import { card, facts, failure, label, link, quiet } from "./parts.js";
import { count, duration } from "./words.js";

export function cluster(overview) {
    const part = overview.cluster.parts.cluster;
    const state = part?.value;
    if (!state)
        return card("cluster", "Quorum and fencing", false,
                    failure(part, overview.alone ? "info" : "warning") ?? quiet("Not known yet."));
    const { quorum, fencing } = state;
    const pairs = [
        ["Quorum", quorum.quorate ? label("green", "quorate") : label("red", "no quorum")],
        ["Nodes online", `${quorum.online} of ${quorum.nodes}, ${quorum.needed} needed`],
        ["May fail now", count(quorum.may_fail, "node")],
        ["Fencing", fencing.running
            ? `${fencing.watchdog || "no watchdog"}; a node is reset after ${duration(fencing.watchdog_seconds)}, ` +
              `its guests may start elsewhere after ${duration(fencing.fencing_seconds)}`
            : label("orange", "off")],
        ["HA", state.ha ? label("green", "on") : [label("orange", "off"), ` ${state.why_off}`]],
    ];
    const own = overview.cluster.parts.address?.value;
    if (own?.address) {
        const host = own.address.split("/")[0];
        const url = `https://${host.includes(":") ? `[${host}]` : host}:9090/slipway`;
        pairs.push(["Address of its page", [link(host, url), own.node ? `, at ${own.node} now` : ", at no node now"]]);
    }
    const ends = state.credentials.certificate_ends;
    if (ends)
        pairs.push(["Certificate", `until ${ends.slice(0, 10)}, renewed before`]);
    return card("cluster", "Quorum and fencing", false, facts(pairs));
}
