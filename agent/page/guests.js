/* Guests of all nodes, with what can be done to each. */

import { alert, button, card, failure, label, link, quiet, table } from "./parts.js";
import { h } from "./dom.js";
import { bytes } from "./words.js";
import { LOOK } from "./role.js";

const COLORS = { running: "green", paused: "orange", failed: "red", unknown: "orange" };

/* Every guest: what its node says of it, what HA says, and to whom it belongs.
 * Gives { kind, name, node, state, ha, known }, node being null when none has it. */
export function all(overview) {
    const found = new Map();
    const key = (kind, name) => `${kind}-${name}`;
    const put = (kind, name, facts) => {
        const id = key(kind, name);
        found.set(id, { id, kind, name, ha: null, ...found.get(id), ...facts });
    };
    for (const owned of overview.cluster.parts.guests?.value?.guests ?? [])
        put(owned.kind, owned.name, { node: owned.node, state: "unknown" });
    for (const [node, answer] of Object.entries(overview.nodes)) {
        for (const guest of answer.parts.guests?.value?.guests ?? []) {
            const before = found.get(key(guest.kind, guest.name));
            // A silent node's last words count for nothing against those of another.
            if (answer.error && before?.seen)
                continue;
            // Two nodes may both have a definition; the guest is where it is on.
            if (before?.seen && !before.silent && guest.state === "stopped")
                continue;
            put(guest.kind, guest.name, {
                node, seen: guest, silent: Boolean(answer.error),
                state: answer.error ? "unknown" : guest.state,
            });
        }
    }
    for (const ha of overview.cluster.parts.ha?.value?.guests ?? []) {
        const before = found.get(key(ha.kind, ha.name));
        // Where a guest under HA is, Pacemaker knows better than a node that had it before.
        const seen = before?.seen && !before.silent && (ha.node === null || ha.node === before.node);
        const state = ha.state === "started" ? "running" : ha.state;
        put(ha.kind, ha.name, { ha, ...(!seen && { node: ha.node ?? before?.node, state }) });
    }
    return [...found.values()].sort((one, other) => one.id.localeCompare(other.id));
}

/* actions: Actions; role: of the person. */
export function guests(overview, actions, role) {
    const found = all(overview);
    const show = error => alert("danger", error.what, h("pre", {}, error.message));
    const rows = found.map(guest => {
        const error = actions.errors.get(guest.id);
        return {
            id: guest.id,
            cells: [
                guest.name,
                guest.kind,
                guest.node ?? "",
                label(COLORS[guest.state] ?? "grey", guest.state),
                underHa(guest.ha),
                guest.seen ? size(guest.seen) : "",
                h("div", { class: "slipway-buttons" }, buttons(overview, guest, actions, role)),
            ],
            below: error && show(error),
        };
    });
    // The guest itself may be gone: then that is what was wrong.
    const gone = [...actions.errors].filter(([id]) => !found.some(guest => guest.id === id));
    const columns = ["Guest", "Kind", "Node", "State", "HA", "Size", "Actions"];
    return card("guests", "Guests", true,
                !overview.alone && failure(overview.cluster.parts.ha),
                gone.map(([, error]) => show(error)),
                rows.length ? table("Guests", columns, rows) : quiet("There are no guests."));
}

function underHa(ha) {
    if (!ha)
        return "no";
    return [ha.group ?? "yes", `, ${ha.wanted}`, ha.failback ? ", goes back" : ""];
}

function size(seen) {
    const memory = seen.memory_bytes ? bytes(seen.memory_bytes) : "no limit";
    return `${memory}, ${seen.cores || "all"} CPU`;
}

function buttons(overview, guest, actions, role) {
    if (role === LOOK)
        return [];
    // A guest that is not under HA is run by its own node alone.
    if (!guest.ha && guest.node !== overview.node) {
        const url = overview.nodes[guest.node]?.parts.status?.value?.node?.web_url;
        return url ? [link(`on ${guest.node}`, `${url}/slipway`)] : [];
    }
    const busy = actions.busy.get(guest.id);
    if (busy)
        return [label("blue", busy)];
    const stopped = guest.ha ? guest.ha.wanted === "stopped" : guest.state === "stopped";
    // LXC cannot move what runs.
    const moves = guest.kind === "machine" && guest.state === "running";
    const targets = overview.cluster.parts.cluster?.value?.members
            .filter(one => one.state === "online" && one.name !== guest.node)
            .map(one => one.name) ?? [];
    const make = (verb, run) => button(verb, run, {
        id: `${guest.id}-${verb.toLowerCase()}`, title: `${verb} ${guest.name}`,
    });
    return [
        stopped && make("Start", () => actions.start(guest)),
        !stopped && make("Stop", () => actions.stop(guest)),
        moves && targets.length > 0 && make("Migrate", () => actions.migrate(guest, targets)),
    ];
}
