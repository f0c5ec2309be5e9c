/* What the person who is signed in may do: look, run guests, or everything. */

/* global cockpit */

const SLIPWAY = "/usr/bin/slipway";

export const LOOK = "look";
export const OPERATE = "operate";
export const ADMINISTER = "administer";

/* Calls with the role, now and whenever administrative access is given or taken away. */
export function follow(onRole) {
    const permission = cockpit.permission({ admin: true });
    let operates = false;
    const tell = () => {
        if (permission.allowed)
            onRole(ADMINISTER);
        else
            onRole(operates ? OPERATE : LOOK);
    };
    permission.addEventListener("changed", tell);
    mayOperate().then(answer => {
        operates = answer;
        tell();
    });
}

/* sudo knows: Cockpit does not tell the groups that come from a directory. */
async function mayOperate() {
    try {
        await cockpit.spawn(["sudo", "-n", "-l", SLIPWAY, "guest", "start", "machine", "any"], { err: "ignore" });
        return true;
    } catch {
        return false;
    }
}

/* Run a command of Slipway with the powers of a role. Operators have a rule of sudo for just these. */
export function run(role, words) {
    const command = [SLIPWAY, ...words];
    if (role === ADMINISTER)
        return cockpit.spawn(command, { superuser: "require", err: "message" });
    return cockpit.spawn(["sudo", "-n", ...command], { err: "message" });
}
