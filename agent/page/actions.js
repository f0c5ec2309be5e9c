/* Starting, stopping and migrating guests: one command each, errors kept until the next one. */

import { ask, choice, tick } from "./dialog.js";
import { run } from "./role.js";

export class Actions {
    busy = new Map();
    errors = new Map();

    /* role: a function that gives the person's role; onChange: called when something is to be shown. */
    constructor(role, onChange) {
        this.role = role;
        this.onChange = onChange;
    }

    start(guest) {
        return this.#do(guest, "starting", ["guest", "start", guest.kind, guest.name]);
    }

    async stop(guest) {
        const answer = await ask({
            title: `Stop ${guest.name}?`,
            text: guest.ha
                ? "It is shut down, and HA does not start it again until you do."
                : `It is shut down on ${guest.node}.`,
            yes: "Stop",
            danger: true,
            fields: guest.ha ? [] : [tick("force", "Take its power away at once; what it has not written is lost")],
        });
        if (!answer)
            return;
        const force = answer.force ? ["--force"] : [];
        await this.#do(guest, "stopping", ["guest", "stop", ...force, guest.kind, guest.name]);
    }

    async migrate(guest, nodes) {
        const answer = await ask({
            title: `Migrate ${guest.name}?`,
            text: `It moves from ${guest.node} to another node while it runs.`,
            yes: "Migrate",
            fields: [choice("node", "To", nodes)],
        });
        if (answer)
            await this.#do(guest, `moving to ${answer.node}`, ["migrate", guest.name, answer.node]);
    }

    async #do(guest, what, words) {
        this.busy.set(guest.id, what);
        this.errors.clear();
        this.onChange(false);
        try {
            await run(this.role(), words);
        } catch (error) {
            this.errors.set(guest.id, { what: `${guest.name}: ${what} failed`, message: error.message });
        }
        this.busy.delete(guest.id);
        this.onChange(true);
    }
}
