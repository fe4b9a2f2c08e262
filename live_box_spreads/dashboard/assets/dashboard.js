// What runs in the browser: the age of the data, each second, and the table's colour scheme.

window.dash_clientside = window.dash_clientside || {};
window.dash_clientside.boxes = {
    // Data older than two intervals of the collector is old, older than five is stale.
    age(_tick, snapshotTime, intervalMs) {
        if (!snapshotTime) {
            return ["–", "age"];
        }
        const secs = Math.max(0, (Date.now() - Date.parse(snapshotTime)) / 1000);
        const interval = intervalMs / 1000;
        const state = secs > 5 * interval ? " age-stale" : secs > 2 * interval ? " age-old" : "";
        return [window.dash_clientside.boxes.duration(secs), "age" + state];
    },

    duration(secs) {
        if (secs < 120) {
            return `${Math.floor(secs)} s`;
        }
        if (secs < 7200) {
            return `${Math.floor(secs / 60)} min`;
        }
        return secs < 172800 ? `${Math.floor(secs / 3600)} h` : `${Math.floor(secs / 86400)} days`;
    },

    // A named band sets its two numbers; numbers of no named band are "custom".
    band(name, centre, halfWidth, bands) {
        const noUpdate = window.dash_clientside.no_update;
        const chosen = window.dash_clientside.callback_context.triggered_id === "band";
        if (chosen && bands[name]) {
            return [noUpdate, ...bands[name]];
        }
        const match = Object.keys(bands).find(
            (key) => bands[key][0] === centre && bands[key][1] === halfWidth
        );
        return [match || "custom", noUpdate, noUpdate];
    },

    // AG Grid reads its scheme from this attribute of an ancestor.
    tableScheme(scheme) {
        document.documentElement.dataset.agThemeMode = scheme || "light";
        return window.dash_clientside.no_update;
    },
};
