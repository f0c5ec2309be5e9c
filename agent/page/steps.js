/* The agent's steps on each node, and how long each took. */

import { card, label, quiet, table } from "./parts.js";
import { h } from "./dom.js";

const COLORS = { done: "green", failed: "red", waiting: "red", "in progress": "blue" };

export function steps(overview) {
    const nodes = Object.entries(overview.nodes).map(([name, answer]) => {
        const status = answer.parts.status?.value;
        const found = Object.entries(status?.steps ?? {});
        const seconds = found.reduce((sum, [, step]) => sum + step.seconds, 0);
        const rows = found.map(([step, one]) => ({
            id: `step-${name}-${step}`,
            cells: [
                step, label(COLORS[one.state] ?? "grey", one.state), `${one.seconds.toFixed(1)} s`, one.reason,
            ],
        }));
        return h("details", { id: `steps-${name}`, class: "slipway-details" },
                 h("summary", {}, `${name}: ${status?.stage ?? "unknown"}, ${seconds.toFixed(1)} s`),
                 rows.length
                     ? table(`Steps of ${name}`, ["Step", "State", "Time", "Reason"], rows)
                     : quiet(answer.error || "The agent has not run since the node was started."));
    });
    return card("steps", "Agent", false, ...nodes);
}
