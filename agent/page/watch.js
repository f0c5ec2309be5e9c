/* What the node knows, again and again while somebody looks: `slipway overview --follow`. */

/* global cockpit */

const COMMAND = ["slipway", "overview", "--json", "--follow", "5"];
const RETRY_MILLISECONDS = 5000;

export class Watch {
    #process = null;
    #retry = null;

    /* onOverview is called with each overview, onError with why there is none. */
    constructor(onOverview, onError) {
        this.onOverview = onOverview;
        this.onError = onError;
        cockpit.addEventListener("visibilitychange", () => this.refresh());
    }

    /* Begin anew, to see at once what has changed. */
    refresh() {
        window.clearTimeout(this.#retry);
        const old = this.#process;
        this.#process = null;
        old?.close("cancelled");
        if (!cockpit.hidden)
            this.#start();
    }

    #start() {
        let rest = "";
        const process = cockpit.spawn(COMMAND, { err: "message" });
        this.#process = process;
        process.stream(text => {
            const lines = (rest + text).split("\n");
            rest = lines.pop();
            if (lines.length && process === this.#process)
                this.onOverview(JSON.parse(lines.at(-1)));
        });
        process
                .catch(error => process === this.#process && this.onError(error.message))
                .finally(() => {
                    if (process === this.#process)
                        this.#retry = window.setTimeout(() => this.refresh(), RETRY_MILLISECONDS);
                });
    }
}
