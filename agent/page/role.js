/* What the person who is signed in may do: look, run guests, or everything. */

/* global cockpit */

const OPERATORS = "slipway-operators";

export const LOOK = "look";
export const OPERATE = "operate";
export const ADMINISTER = "administer";

/* Calls with the role, now and whenever administrative access is given or taken away. */
export function follow(onRole) {
    const permission = cockpit.permission({ admin: true });
    let groups = [];
    const tell = () => {
        if (permission.allowed)
            onRole(ADMINISTER);
        else
            onRole(groups.includes(OPERATORS) ? OPERATE : LOOK);
    };
    permission.addEventListener("changed", tell);
    cockpit.user().then(user => {
        groups = user.groups ?? [];
        tell();
    });
}

/* Run a command of Slipway with the powers of a role. Operators have a rule of sudo for just these. */
export function run(role, words) {
    const command = ["/usr/bin/slipway", ...words];
    if (role === ADMINISTER)
        return cockpit.spawn(command, { superuser: "require", err: "message" });
    return cockpit.spawn(["sudo", "-n", ...command], { err: "message" });
}
