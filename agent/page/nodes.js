/* The nodes: whether each is there, and what its agent says. */

import { card, label, link, table } from "./parts.js";
import { duration } from "./words.js";

const COLORS = { online: "green", joining: "blue", offline: "red", "to be fenced": "red" };
const STAGES = { ready: "green", failed: "red", "waiting for operator": "red" };

export function nodes(overview) {
    const members = overview.cluster.parts.cluster?.value?.members ?? [];
    const rows = Object.entries(overview.nodes).map(([name, answer]) => {
        const member = members.find(one => one.name === name);
        const status = answer.parts.status?.value;
        const node = status?.node;
        return {
            id: `node-${name}`,
            cells: [
                [name, name === overview.node ? " (this one)" : "", member?.controller ? " (controller)" : ""],
                member ? label(COLORS[member.state], member.state) : label("grey", "alone"),
                agent(answer, status),
                heard(answer),
                node?.web_url ? link(node.address, node.web_url) : (member?.addresses.join(", ") ?? ""),
                status ? `${status.clock}; KVM ${node?.kvm ?? "unknown"}` : "",
            ],
        };
    });
    const columns = ["Node", "In the cluster", "Agent", "Heard", "Address", "Clock, virtualization"];
    return card("nodes", "Nodes", true, table("Nodes", columns, rows));
}

/* What a silent node last said of itself is not true any more. */
function agent(answer, status) {
    if (answer.error)
        return label("grey", "unknown");
    return status ? label(STAGES[status.stage] ?? "blue", status.stage) : "";
}

function heard(answer) {
    if (!answer.error)
        return "now";
    return answer.heard === null ? answer.error : `${duration(answer.heard)} ago: ${answer.error}`;
}
