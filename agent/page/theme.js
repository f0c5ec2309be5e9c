/* Light or dark: as the person has chosen in Cockpit's menu, or as the system is. */

const KEY = "shell:style";
const system = window.matchMedia("(prefers-color-scheme: dark)");

function apply(chosen = localStorage.getItem(KEY) || "auto") {
    const dark = chosen === "dark" || (chosen === "auto" && system.matches);
    document.documentElement.classList.toggle("pf-v6-theme-dark", dark);
}

export function follow() {
    window.addEventListener("storage", event => event.key === KEY && apply());
    window.addEventListener("cockpit-style", event => apply(event.detail.style));
    system.addEventListener("change", () => apply());
    apply();
}
