/* Making elements, and bringing what is shown to what should be shown. */

const SVG = "http://www.w3.org/2000/svg";
const SVG_TAGS = ["svg", "path"];

/* An element. Properties: attributes, on… handlers, and style as an object (the page's policy allows
 * no style attributes). Children: elements, texts, lists of them; null and false are left out. */
export function h(tag, properties = {}, ...children) {
    const element = SVG_TAGS.includes(tag)
        ? document.createElementNS(SVG, tag)
        : document.createElement(tag);
    for (const [name, value] of Object.entries(properties)) {
        if (value === null || value === undefined || value === false)
            continue;
        if (name.startsWith("on"))
            element[name] = value;
        else if (name === "style")
            Object.assign(element.style, value);
        else
            element.setAttribute(name, value === true ? "" : value);
    }
    const left = child => child === null || child === undefined || child === false;
    element.append(...children.flat(Infinity).filter(child => !left(child)));
    return element;
}

/* Make what is in the document like what was made anew, touching only what differs: what a person
 * has focused, selected or opened stays. Children with an id are found by it, others by their place. */
export function patch(shown, wanted) {
    if (shown.nodeType === Node.TEXT_NODE) {
        if (shown.data !== wanted.data)
            shown.data = wanted.data;
        return;
    }
    patchAttributes(shown, wanted);
    shown.onclick = wanted.onclick;
    patchChildren(shown, wanted);
}

function patchAttributes(shown, wanted) {
    for (const { name } of [...shown.attributes]) {
        if (!wanted.hasAttribute(name) && !isOfPerson(shown, name))
            shown.removeAttribute(name);
    }
    for (const { name, value } of wanted.attributes) {
        if (shown.getAttribute(name) === value)
            continue;
        if (name === "style")
            shown.style.cssText = value;
        else
            shown.setAttribute(name, value);
    }
}

function isOfPerson(element, name) {
    return element.tagName === "DETAILS" && name === "open";
}

function patchChildren(shown, wanted) {
    // First, or what follows would be moved before it, and lose the focus.
    const stays = new Set([...wanted.children].map(one => one.id));
    for (const one of [...shown.children]) {
        if (one.id && !stays.has(one.id))
            one.remove();
    }
    const known = new Map([...shown.children].filter(one => one.id).map(one => [one.id, one]));
    let place = shown.firstChild;
    for (const fresh of [...wanted.childNodes]) {
        const kept = fresh.id ? known.get(fresh.id) : place;
        if (kept && isAlike(kept, fresh)) {
            if (kept === place)
                place = place.nextSibling;
            else
                shown.insertBefore(kept, place);
            patch(kept, fresh);
        } else {
            shown.insertBefore(fresh, place);
        }
    }
    while (place) {
        const next = place.nextSibling;
        place.remove();
        place = next;
    }
}

function isAlike(one, other) {
    return one.nodeName === other.nodeName && (one.id ?? "") === (other.id ?? "");
}
