/* What is wrong, and what to do. */

import { h } from "./dom.js";
import { alert, card } from "./parts.js";

export function problems(overview) {
    const list = overview.problems.map(problem => h("li", {}, alert(
        problem.level, problem.what,
        problem.todo && h("p", {}, "What to do: ", h("code", {}, problem.todo)))));
    return card("problems", "What is wrong", true,
                list.length
                    ? h("ul", { class: "slipway-problems", role: "list" }, list)
                    : alert("success", "Nothing is wrong"));
}
