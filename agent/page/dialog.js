/* A question before something is done. */

import { h } from "./dom.js";
import { button } from "./parts.js";

/* Resolves with the form's values when the person agrees, with null when not.
 * fields: elements with a name; danger: the button is red. */
export function ask({ title, text, yes, danger = false, fields = [] }) {
    const opener = document.activeElement;
    return new Promise(resolve => {
        const form = h("form", { method: "dialog" },
                       h("div", { class: "pf-v6-c-modal-box__body slipway-stack" }, h("p", {}, text), ...fields));
        const end = value => {
            dialog.remove();
            opener?.focus();
            resolve(value);
        };
        const agree = () => end(Object.fromEntries(new FormData(form)));
        const dialog = h("dialog", {
            class: "pf-v6-c-modal-box pf-m-sm", "aria-labelledby": "dialog-title",
            oncancel: () => end(null),
        },
                         h("header", { class: "pf-v6-c-modal-box__header" },
                           h("h1", { class: "pf-v6-c-modal-box__title", id: "dialog-title" }, title)),
                         form,
                         h("footer", { class: "pf-v6-c-modal-box__footer" },
                           button(yes, agree, { kind: danger ? "danger" : "primary", id: "dialog-yes" }),
                           button("Cancel", () => end(null), { kind: "link", id: "dialog-no" })));
        form.onsubmit = event => {
            event.preventDefault();
            agree();
        };
        document.body.append(dialog);
        dialog.showModal();
    });
}

export function choice(name, title, options) {
    return h("label", { class: "pf-v6-c-form__label" },
             h("span", { class: "pf-v6-c-form__label-text" }, title),
             h("span", { class: "pf-v6-c-form-control" },
               h("select", { name }, options.map(option => h("option", { value: option }, option)))));
}

export function tick(name, title) {
    return h("label", { class: "pf-v6-c-check" },
             h("input", { class: "pf-v6-c-check__input", type: "checkbox", name }),
             h("span", { class: "pf-v6-c-check__label" }, title));
}
