/* How full the storages of each node are. */

import { bar, card, failure, quiet } from "./parts.js";
import { h } from "./dom.js";
import { bytes } from "./words.js";

export function storages(overview) {
    const nodes = Object.entries(overview.nodes).map(([name, answer]) => h(
        "div", { id: `storages-${name}`, class: "slipway-stack" },
        h("h3", { class: "pf-v6-c-title pf-m-md" }, name, answer.error && answer.heard !== null ? " (as last heard)" : ""),
        failure(answer.parts.storages),
        (answer.parts.storages?.value?.storages ?? []).map(storage),
        !answer.parts.storages && quiet(answer.error || "Not known yet.")));
    return card("storages", "Storage", false, ...nodes);
}

function storage(one) {
    const name = one.where ? `${one.name} (${one.where})` : one.name;
    if (!one.in_use || !one.capacity_bytes)
        return bar(name, 0, one.in_use ? "size unknown" : "not in use");
    const words = `${bytes(one.used_bytes)} of ${bytes(one.capacity_bytes)}`;
    return bar(name, one.used_bytes / one.capacity_bytes, words);
}
