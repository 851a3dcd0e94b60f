"use strict";

const state = document.getElementById("state");
let switches = null;
let busy = false;

async function call(path, body) {
  const options = body === undefined ? {} : {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  };
  const answer = await fetch(path, options);
  const value = await answer.json();
  if (!answer.ok) throw new Error(value.error.text);
  return value;
}

function tell(text, bad) {
  state.textContent = text;
  state.classList.toggle("bad", Boolean(bad));
}

function rows(id, pairs) {
  document.getElementById(id).replaceChildren(...pairs.map(([name, value]) => {
    const row = document.createElement("tr");
    for (const cell of [name, value]) row.insertCell().textContent = cell;
    return row;
  }));
}

function choices(select, names, first) {
  if (select.options.length > 0) return;
  if (first !== undefined) select.add(new Option(first, ""));
  for (const name of names) select.add(new Option(name, name));
}

// show puts what the plant says into the page; a field that somebody is editing
// is left alone.
function show(stats) {
  document.getElementById("switches").textContent = JSON.stringify(switches, null, 2);
  for (const form of document.querySelectorAll("form[data-set]")) {
    if (form.contains(document.activeElement)) continue;
    for (const field of form.elements) {
      if (!(field.name in switches)) continue;
      if (field.type === "checkbox") field.checked = switches[field.name];
      else field.value = switches[field.name];
    }
  }
  const names = Object.keys(stats.records).sort();
  for (const select of document.querySelectorAll("[data-collections]")) {
    choices(select, names, select.dataset.collections || undefined);
  }
  for (const select of document.querySelectorAll("[data-targets]")) choices(select, ["login", "whoami", ...names], "all");
  rows("records", names.map((name) => [name, stats.records[name]]));
  rows("calls", [["logins", stats.logins], ["failed logins", stats.failedLogins], ["open sessions", stats.sessions],
    ...Object.entries(stats.calls).sort()]);
}

function summary(stats) {
  const wrong = [];
  if (switches.offline) wrong.push("offline");
  if (switches.delayMs) wrong.push("slow");
  for (const name of ["tooMany", "broken", "garbage", "endless"]) if (switches[name].requests) wrong.push(name);
  if (switches.deny.length) wrong.push("no right to " + switches.deny.join(", "));
  if (switches.poison.length) wrong.push("poison in " + switches.poison.map((p) => p.collection).join(", "));
  const life = switches.frozen || !switches.speed ? "frozen" : "alive, " + stats.beats + " beats";
  tell(wrong.length ? life + " · " + wrong.join(" · ") : life + " · no faults", wrong.length > 0);
}

async function refresh() {
  if (busy) return;
  busy = true;
  try {
    switches = await call("/control");
    const stats = await call("/control/stats");
    show(stats);
    summary(stats);
  } catch (error) {
    tell("The plant does not answer: " + error.message, true);
  } finally {
    busy = false;
  }
}

const settings = {
  life: (v) => ({ speed: Number(v.speed), frozen: v.frozen === "on" }),
  login: (v) => ({ password: v.password, sessionSeconds: Number(v.sessionSeconds) }),
  net: (v) => ({ offline: v.offline, delayMs: Number(v.delayMs) }),
  deny: (v) => ({ deny: v.collection ? [v.collection] : [] }),
  poison: (v) => ({ poison: v.collection ? [{ collection: v.collection, mode: v.mode }] : [] }),
  fault: (v) => {
    const fault = { requests: Number(v.requests), only: v.only };
    if (v.kind === "html" || v.kind === "truncated") return { garbage: { ...fault, mode: v.kind } };
    if (v.kind === "tooMany" && v.retryAfter !== "") fault.retryAfter = Number(v.retryAfter);
    return { [v.kind]: fault };
  },
};

const posts = {
  "beat": (v) => ["beat", { count: Number(v.count) }],
  "end-sessions": () => ["end-sessions", {}],
  "reset": () => ["reset", {}],
  "delete": (v, button) => [button === "change" ? "change" : "delete", { collection: v.collection, id: Number(v.id) }],
};

document.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const values = Object.fromEntries(new FormData(form));
  try {
    if (form.dataset.set) {
      await call("/control", settings[form.dataset.set](values));
    } else {
      const [path, body] = posts[form.dataset.post](values, event.submitter && event.submitter.value);
      await call("/control/" + path, body);
    }
    document.activeElement.blur();
    await refresh();
  } catch (error) {
    tell(error.message, true);
  }
});

refresh();
setInterval(() => { if (!document.hidden && !state.classList.contains("bad")) refresh(); }, 2000);
setInterval(() => { if (!document.hidden && state.classList.contains("bad")) refresh(); }, 5000);
