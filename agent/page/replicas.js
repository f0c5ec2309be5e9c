/* Replication: how old each replica is. */

import { card, failure, label, quiet, table } from "./parts.js";
import { bytes, duration } from "./words.js";

export function replicas(overview) {
    const found = new Map();
    let failed = null;
    for (const [node, answer] of Object.entries(overview.nodes)) {
        const part = answer.parts.replicas;
        failed ??= part?.error ? part : null;
        for (const job of part?.value?.jobs ?? []) {
            const key = `${job.guest}-${job.source}-${job.target}`;
            // The node that sends knows best.
            if (!found.has(key) || node === job.source)
                found.set(key, job);
        }
    }
    const rows = [...found].map(([key, job]) => ({
        id: `replica-${key}`,
        cells: [
            job.guest, `${job.source} → ${job.target}`, `every ${duration(job.every)}`, age(job),
            job.bytes === null ? "" : bytes(job.bytes),
        ],
        below: job.error && failure(job),
    }));
    const columns = ["Guest", "From and to", "Schedule", "Age", "Last sent"];
    return card("replicas", "Replication", false, !overview.alone && failure(rows.length ? null : failed),
                rows.length ? table("Replication", columns, rows) : quiet("Nothing is replicated."));
}

function age(job) {
    if (job.age === null)
        return label("orange", "never");
    return label(job.age > 2 * job.every ? "orange" : "green", duration(job.age));
}
