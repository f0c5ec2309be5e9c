/* Replication: how old each replica is. */

import { card, failure, label, quiet, table } from "./parts.js";
import { bytes, duration } from "./words.js";

export function replicas(overview) {
    const part = overview.cluster.parts.replicas;
    const rows = (part?.value?.jobs ?? []).map(job => ({
        id: `replica-${job.guest}-${job.target}`,
        cells: [
            job.guest, `${job.source} → ${job.target}`, `every ${duration(job.every)}`, age(job),
            job.bytes === null ? "" : bytes(job.bytes),
        ],
        below: job.error && failure(job),
    }));
    const columns = ["Guest", "From and to", "Schedule", "Age", "Last sent"];
    return card("replicas", "Replication", false, !overview.alone && failure(part),
                rows.length ? table("Replication", columns, rows) : quiet("Nothing is replicated."));
}

function age(job) {
    if (job.age === null)
        return label("orange", "never");
    return label(job.age > 2 * job.every ? "orange" : "green", duration(job.age));
}
