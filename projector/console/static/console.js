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
  const box = document.createElement("div");
  box.className = "live";
  box.setAttribute("role", "status");
  const text = document.createElement("span");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "quiet";
  box.append(text, button);
  document.body.append(box);
  let paused = false, answered = Date.now(), lost = false, last = main.innerHTML, asking = false;

  function tell() {
    const ago = Math.round((Date.now() - answered) / 1000);
    box.classList.toggle("is-lost", lost && !paused);
    text.textContent = paused ? "Paused" : lost ? `No contact for ${ago} s` : "Live";
    button.textContent = paused ? "Go on" : "Pause";
  }

  function busy() {
    const focus = document.activeElement;
    return main.contains(focus) && /^(INPUT|SELECT|TEXTAREA)$/.test(focus.tagName);
  }

  async function ask() {
    if (paused || asking || document.hidden || busy()) return tell();
    asking = true;
    try {
      const answer = await fetch(location.href, { signal: AbortSignal.timeout(10000), redirect: "error" });
      if (!answer.ok) throw new Error(String(answer.status));
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const now = page.querySelector("main")?.innerHTML;
      if (now === undefined) throw new Error("no page");
      answered = Date.now();
      lost = false;
      if (now !== last && !paused && !busy()) {
        const open = [...main.querySelectorAll("details[open]")].map((one) => one.id).filter(Boolean);
        main.innerHTML = last = now;
        for (const id of open) document.getElementById(id)?.setAttribute("open", "");
        localTimes(main);
        localMoments(main);
      }
    } catch {
      lost = true;
    } finally {
      asking = false;
      tell();
    }
  }

  button.addEventListener("click", () => { paused = !paused; tell(); if (!paused) ask(); });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) ask(); });
  setInterval(ask, seconds * 1000);
  setInterval(tell, 1000);
  tell();
}

localTimes(document);
localMoments(document);
const main = document.querySelector("main[data-live]");
if (main) follow(main);
