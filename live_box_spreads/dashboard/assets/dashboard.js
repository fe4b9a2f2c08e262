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

    // The scheme in use is an attribute of the page, whoever set it: the switch, the system, or
    // what the browser remembers. The charts follow it through a store.
    scheme() {
        const page = document.documentElement;
        const inUse = () => page.getAttribute("data-mantine-color-scheme");
        new MutationObserver(() => {
            page.dataset.agThemeMode = inUse(); // AG Grid reads its own attribute
            window.dash_clientside.set_props("scheme", { data: inUse() });
        }).observe(page, { attributeFilter: ["data-mantine-color-scheme"] });
        page.dataset.agThemeMode = inUse();
        return inUse();
    },

    // The surfaces are the slow part: they wait until the first flat chart is on the screen.
    async painted(figure, message, painted) {
        const shown = (figure && figure.data.length) || message !== "Loading…";
        if (painted || !shown) {
            return window.dash_clientside.no_update;
        }
        const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
        for (let waited = 0; waited < 200; waited += 1) {
            if (message || document.querySelector("#term-structure .scatterlayer")) {
                break;
            }
            await frame();
        }
        await frame();
        return true;
    },
};
