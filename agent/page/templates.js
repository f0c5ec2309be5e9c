/* Templates of containers, and which nodes have them. */

import { card, quiet, table } from "./parts.js";
import { bytes } from "./words.js";

export function templates(overview) {
    const found = new Map();
    for (const [node, answer] of Object.entries(overview.nodes)) {
        for (const one of answer.parts.templates?.value?.templates ?? []) {
            const known = found.get(one.name) ?? { size: one.size_bytes, nodes: [] };
            known.nodes.push(node);
            found.set(one.name, known);
        }
    }
    const rows = [...found].sort().map(([name, one]) => ({
        id: `template-${name}`, cells: [name, bytes(one.size), one.nodes.join(", ")],
    }));
    return card("templates", "Templates", false,
                rows.length
                    ? table("Templates", ["Template", "Size", "On"], rows)
                    : quiet("No node has a template: slipway template fetch NAME"));
}
