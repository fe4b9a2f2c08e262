// What runs in the browser: the age of the data, each second, and the table's colour scheme.

window.dash_clientside = window.dash_clientside || {};
window.dash_clientside.boxes = {
    // Data older than two intervals of the collector is old, older than five is stale.
    // Data ahead of the clock is told so: a negative age is no fresh one.
    age(_tick, snapshotTime, intervalMs) {
        if (!snapshotTime) {
            return ["–", "age"];
        }
        const boxes = window.dash_clientside.boxes;
        const secs = (Date.now() - Date.parse(snapshotTime)) / 1000;
        if (secs < -boxes.CLOCKS_AGREE_SECS) {
            const ahead = boxes.duration(-secs);
            return [`ahead of this machine's clock by ${ahead}`, "age age-stale"];
        }
        const interval = intervalMs / 1000;
        const state = secs > 5 * interval ? " age-stale" : secs > 2 * interval ? " age-old" : "";
        return [boxes.duration(Math.max(0, secs)), "age" + state];
    },

    CLOCKS_AGREE_SECS: 5,

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

    // Says so when the server of this page does not answer: what is shown grows old then. It is
    // asked beside the ticks: Dash drops the late answer of a tick once the next one has come.
    server(ticks) {
        const boxes = window.dash_clientside.boxes;
        if (ticks % boxes.ASK_EVERY_TICKS === 0 && !boxes.asking) {
            boxes.asking = true;
            boxes.ask().finally(() => {
                boxes.asking = false;
            });
        }
        return boxes.lostAnswers > 1 ? boxes.goneText() : ""; // one lost answer is none to speak of
    },

    async ask() {
        const boxes = window.dash_clientside.boxes;
        const asked = new Date();
        const url = new URL("alive", document.baseURI);
        const options = { cache: "no-store", signal: AbortSignal.timeout(boxes.PATIENCE_MS) };
        const answered = await fetch(url, options).then((answer) => answer.ok, () => false);
        if (answered) {
            boxes.lostAnswers = 0;
        } else if (boxes.lostAnswers++ === 0) {
            boxes.goneSince = asked;
        }
    },

    goneText() {
        const since = window.dash_clientside.boxes.goneSince.toLocaleTimeString();
        return `The dashboard's server has not answered since ${since}. What is shown is as of `
            + "then. Start it again (boxes dashboard, or python app.py); this page goes on by itself.";
    },

    lostAnswers: 0,
    ASK_EVERY_TICKS: 3,
    PATIENCE_MS: 10000,

    // The surfaces are the slow part: they wait until the first flat chart is on the screen.
    async painted(figure, message) {
        const noUpdate = window.dash_clientside.no_update;
        const boxes = window.dash_clientside.boxes;
        const shown = (figure && figure.data.length) || message !== "Loading…";
        if (boxes.hasPainted || !shown) {
            return noUpdate;
        }
        boxes.hasPainted = true;
        const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
        for (let waited = 0; waited < 200; waited += 1) {
            if (message || document.querySelector("#term-structure .scatterlayer")) {
                break;
            }
            await frame();
        }
        await frame();
        // Not an output: what draws the charts waits for it, and Dash takes no circles.
        window.dash_clientside.set_props("painted", { data: true });
        return noUpdate;
    },
};
