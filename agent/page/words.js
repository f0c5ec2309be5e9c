/* Figures as people read them. */

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

export function bytes(count) {
    const unit = count ? Math.min(UNITS.length - 1, Math.floor(Math.log2(count) / 10)) : 0;
    const figure = count / 1024 ** unit;
    return `${figure.toFixed(figure < 10 && unit ? 1 : 0)} ${UNITS[unit]}`;
}

export function duration(seconds) {
    if (seconds < 90)
        return `${Math.round(seconds)} s`;
    if (seconds < 5400)
        return `${Math.round(seconds / 60)} min`;
    return seconds < 172800
        ? `${Math.round(seconds / 3600)} h`
        : `${Math.round(seconds / 86400)} days`;
}

export function count(number, one, many = `${one}s`) {
    return `${number} ${number === 1 ? one : many}`;
}
