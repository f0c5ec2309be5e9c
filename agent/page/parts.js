/* PatternFly's components, as far as the page needs them. */

import { h } from "./dom.js";

const EXCLAMATION = "M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20zm-1 5h2v7h-2zm0 8.5h2v2h-2z";
const CHECK = "M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20zm-1.5 14.5-4-4 1.4-1.4 2.6 2.6 5.6-5.6 1.4 1.4z";

export function card(id, title, wide, ...body) {
    const heading = `${id}-title`;
    return h("section", {
        id, class: `pf-v6-c-card${wide ? " slipway-wide" : ""}`, "aria-labelledby": heading,
    },
             h("div", { class: "pf-v6-c-card__title" },
               h("h2", { class: "pf-v6-c-card__title-text", id: heading }, title)),
             h("div", { class: "pf-v6-c-card__body slipway-stack" }, ...body));
}

/* columns: headings; rows: { id, cells, below }, below being shown under the row over its whole width. */
export function table(label, columns, rows) {
    const heading = name => h("th", { class: "pf-v6-c-table__th", scope: "col", role: "columnheader" }, name);
    const cell = (content, index) => h("td", {
        class: "pf-v6-c-table__td", role: "cell", "data-label": columns[index],
    }, h("div", {}, content));
    return h("table", {
        class: "pf-v6-c-table pf-m-grid-md pf-m-compact", role: "table", "aria-label": label,
    },
             h("thead", { class: "pf-v6-c-table__thead", role: "rowgroup" },
               h("tr", { class: "pf-v6-c-table__tr", role: "row" }, columns.map(heading))),
             h("tbody", { class: "pf-v6-c-table__tbody", role: "rowgroup" }, rows.map(row => [
                 h("tr", { class: "pf-v6-c-table__tr", role: "row", id: row.id }, row.cells.map(cell)),
                 row.below && h("tr", { class: "pf-v6-c-table__tr", role: "row", id: `${row.id}-below` },
                                h("td", {
                                    class: "pf-v6-c-table__td", role: "cell", colspan: columns.length,
                                }, row.below)),
             ])));
}

/* color: green, red, orange, blue, or grey. */
export function label(color, text) {
    return h("span", { class: `pf-v6-c-label pf-m-compact ${color === "grey" ? "" : `pf-m-${color}`}` },
             h("span", { class: "pf-v6-c-label__content" },
               h("span", { class: "pf-v6-c-label__text" }, text)));
}

/* level: danger, warning, info or success. */
export function alert(level, title, ...description) {
    const icon = level === "success" ? CHECK : EXCLAMATION;
    return h("div", { class: `pf-v6-c-alert pf-m-inline pf-m-${level}` },
             h("div", { class: "pf-v6-c-alert__icon" },
               h("svg", {
                   viewBox: "0 0 24 24", width: "1em", height: "1em", fill: "currentColor", "aria-hidden": "true",
               }, h("path", { d: icon }))),
             h("p", { class: "pf-v6-c-alert__title" },
               h("span", { class: "pf-v6-screen-reader" }, `${level}: `), title),
             description.some(Boolean) &&
                 h("div", { class: "pf-v6-c-alert__description" }, ...description.filter(Boolean)));
}

export function button(text, onclick, { kind = "secondary", id, title, disabled } = {}) {
    return h("button", {
        class: `pf-v6-c-button pf-m-small pf-m-${kind}`, type: "button", id, disabled, onclick, "aria-label": title,
    }, h("span", { class: "pf-v6-c-button__text" }, text));
}

export function link(text, href) {
    return h("a", { href, target: "_blank", rel: "noopener noreferrer" }, text);
}

/* pairs: [term, description]. */
export function facts(pairs) {
    return h("dl", { class: "pf-v6-c-description-list pf-m-horizontal-on-sm pf-m-compact" }, pairs.map(
        ([term, description]) => h("div", { class: "pf-v6-c-description-list__group" },
                                   h("dt", { class: "pf-v6-c-description-list__term" },
                                     h("span", { class: "pf-v6-c-description-list__text" }, term)),
                                   h("dd", { class: "pf-v6-c-description-list__description" },
                                     h("div", { class: "pf-v6-c-description-list__text" }, description)))));
}

/* share: 0 to 1. */
export function bar(name, share, words) {
    const percent = Math.round(share * 100);
    const level = share >= 0.95 ? " pf-m-danger" : share >= 0.85 ? " pf-m-warning" : "";
    return h("div", { class: `pf-v6-c-progress pf-m-sm${level}` },
             h("div", { class: "pf-v6-c-progress__description" }, name),
             h("div", { class: "pf-v6-c-progress__status" },
               h("span", { class: "pf-v6-c-progress__measure" }, words)),
             h("div", {
                 class: "pf-v6-c-progress__bar", role: "progressbar", "aria-label": name,
                 "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": percent,
             }, h("div", { class: "pf-v6-c-progress__indicator", style: { inlineSize: `${percent}%` } })));
}

export function quiet(text) {
    return h("p", { class: "slipway-quiet" }, text);
}

/* What a command said instead of what was asked of it, and its hint; nothing when it worked. */
export function failure(part, level = "warning") {
    if (!part?.error)
        return null;
    const [first, ...hint] = part.error.split("\n");
    return alert(level, first, hint.length > 0 && h("pre", {}, hint.join("\n").trim()));
}
