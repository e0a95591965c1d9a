// Everything reads without this file. It shows times in the reader's zone, and follows pages that change.
"use strict";

const shown = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

function localTimes(within) {
  for (const time of within.querySelectorAll("time[datetime]")) {
    const moment = new Date(time.dateTime);
    if (!Number.isNaN(moment.valueOf())) time.textContent = shown.format(moment);
  }
  for (const named of document.querySelectorAll("[data-zone]")) named.textContent = `in your zone, ${zone}`;
}

// A moment is typed in the reader's zone and sent in UTC.
function localMoments(within) {
  for (const field of within.querySelectorAll("input[data-moment]")) {
    const utc = field.value ? new Date(field.value + "Z") : null;
    if (utc && !Number.isNaN(utc.valueOf())) field.value = localText(utc);
    const label = field.closest("label")?.querySelector("[data-utc]");
    if (label) label.textContent = "your time";
    field.form?.addEventListener("formdata", (event) => {
      const typed = event.formData.get(field.name);
      if (typed) event.formData.set(field.name, new Date(typed).toISOString());
      else event.formData.delete(field.name);
    });
  }
}

function localText(moment) {
  const off = moment.getTimezoneOffset() * 60000;
  return new Date(moment.valueOf() - off).toISOString().slice(0, 19);
}

// Polling, by the visible tabs alone: no connection stays open, so any number of tabs live.
function follow(main) {
  const seconds = Number(main.dataset.live);
  const box = liveBox();
  let paused = false, asking = false, held = null, lost = false, ended = false, answered = Date.now();
  let known = regions(main);

  function tell() {
    const ago = Math.round((Date.now() - answered) / 1000);
    const state = ended ? "Your session ended" : paused ? "Paused" : lost ? "No contact" : held ? "Something new" : "Following";
    box.show(state, lost && !paused && !ended ? ` for ${ago} s` : "", lost || ended);
    box.button.textContent = ended ? "Enter again" : paused ? "Go on" : held ? "Show" : "Pause";
  }

  // Whoever types, marks text or has filled in a form is not disturbed.
  function busy() {
    const focus = document.activeElement;
    const typing = main.contains(focus) && /^(INPUT|SELECT|TEXTAREA)$/.test(focus.tagName);
    const marked = getSelection();
    return typing || changed(main) || (!marked.isCollapsed && main.contains(marked.anchorNode));
  }

  function take(next) {
    held = null;
    known = replaceRegions(main, known, next);
  }

  async function ask() {
    if (paused || asking || ended || document.hidden || busy()) return tell();
    asking = true;
    try {
      const answer = await fetch(location.href, { signal: AbortSignal.timeout(10000), redirect: "manual" });
      ended = answer.status === 401 || answer.status === 403 || answer.type === "opaqueredirect";
      if (!ended) {
        if (!answer.ok) throw new Error(String(answer.status));
        const next = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main");
        if (!next) throw new Error("no page");
        answered = Date.now();
        lost = false;
        const reading = main.hasAttribute("data-grows") && scrollY > innerHeight / 3;
        if (paused || busy()) held = null;
        else if (reading) held = differs(known, next) ? next : null;
        else take(next);
      }
    } catch {
      lost = true;
    } finally {
      asking = false;
      tell();
    }
  }

  box.button.addEventListener("click", () => {
    if (ended) return location.reload();
    if (held && !paused) {
      take(held);
      scrollTo({ top: 0 });
    } else {
      paused = !paused;
    }
    tell();
    if (!paused) ask();
  });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) ask(); });
  setInterval(ask, seconds * 1000);
  setInterval(tell, 1000);
  tell();
}

// What is said is said once; the seconds that pass are only shown.
function liveBox() {
  const box = document.createElement("div");
  const said = document.createElement("span");
  const passing = document.createElement("span");
  const button = document.createElement("button");
  box.className = "live";
  said.setAttribute("role", "status");
  passing.setAttribute("aria-hidden", "true");
  button.type = "button";
  button.className = "quiet";
  box.append(said, passing, button);
  document.querySelector(".foot").before(box);
  return {
    button,
    show(state, more, bad) {
      if (said.textContent !== state) said.textContent = state;
      passing.textContent = more;
      box.classList.toggle("is-lost", bad);
    },
  };
}

function changed(within) {
  return [...within.querySelectorAll("input, textarea, option")].some((field) =>
    field.tagName === "OPTION" ? field.selected !== field.defaultSelected && field.defaultSelected
      : field.type === "checkbox" ? field.checked !== field.defaultChecked
        : field.type !== "hidden" && !field.dataset.moment && field.value !== field.defaultValue);
}

// The parts of a page, as the server sent them: times are rewritten in place.
function regions(main) {
  return [...main.children].map((one) => one.outerHTML);
}

function differs(known, next) {
  const sent = regions(next);
  return sent.length !== known.length || sent.some((html, at) => html !== known[at]);
}

// Only what changed is replaced, so that focus, open documents and the reader's place stay.
function replaceRegions(main, known, next) {
  const sent = regions(next);
  const alike = sent.length === known.length;
  const old = [...main.children];
  [...next.children].forEach((fresh, at) => {
    if (alike && sent[at] === known[at]) return;
    const open = alike ? [...old[at].querySelectorAll("details[open]")].map((one) => place(one)) : [];
    const focus = old[at]?.contains(document.activeElement) ? place(document.activeElement) : null;
    const mine = document.importNode(fresh, true);
    if (old[at]) old[at].replaceWith(mine);
    else main.append(mine);
    localTimes(mine);
    localMoments(mine);
    for (const one of open) find(one)?.setAttribute("open", "");
    if (focus) find(focus)?.focus({ preventScroll: true });
  });
  for (const gone of old.slice(sent.length)) gone.remove();
  return sent;
}

// Where an element is: which of its kind within the nearest part that has an id.
function place(element) {
  const anchor = element.closest("[id]");
  const alike = [...anchor.querySelectorAll(element.tagName)];
  return { id: anchor.id, tag: element.tagName, at: element === anchor ? -1 : alike.indexOf(element) };
}

function find({ id, tag, at }) {
  const anchor = document.getElementById(id);
  return at < 0 ? anchor : anchor?.querySelectorAll(tag)[at];
}

localTimes(document);
localMoments(document);
const main = document.querySelector("main[data-live]");
if (main) follow(main);
