/* The cluster page: what `slipway overview` knows, and what a person may do about it. */

import { Actions } from "./actions.js";
import { cluster } from "./cluster.js";
import { h, patch } from "./dom.js";
import { guests } from "./guests.js";
import { nodes } from "./nodes.js";
import { alert, quiet } from "./parts.js";
import { problems } from "./problems.js";
import { replicas } from "./replicas.js";
import * as roles from "./role.js";
import { steps } from "./steps.js";
import { storages } from "./storages.js";
import { templates } from "./templates.js";
import * as theme from "./theme.js";
import { Watch } from "./watch.js";

const page = document.getElementById("page");
let overview = null;
let error = null;
let role = roles.LOOK;

const watch = new Watch(
    seen => {
        overview = seen;
        error = null;
        show();
    },
    message => {
        error = message;
        show();
    });
const actions = new Actions(() => role, again => {
    show();
    if (again)
        watch.refresh();
});

function show() {
    const name = overview?.cluster.parts.cluster?.value?.name;
    const fresh = h("section", { class: page.className, id: page.id, "aria-busy": String(!overview), "data-role": role },
                    h("h1", { class: "pf-v6-c-title pf-m-2xl", id: "title" }, name ? `Cluster ${name}` : "Cluster"),
                    h("div", { id: "error", role: "status" },
                      error && alert("danger", "The node does not say how the cluster is", h("pre", {}, error))),
                    overview ? cards() : quiet("Asking the nodes …"));
    patch(page, fresh);
}

function cards() {
    return h("div", { id: "cards", class: "slipway-cards" },
             problems(overview), nodes(overview), guests(overview, actions, role), cluster(overview),
             storages(overview), steps(overview), templates(overview), replicas(overview));
}

theme.follow();
roles.follow(found => {
    role = found;
    show();
});
show();
watch.refresh();
