// Copyright (c) 2026 redrive.tasks contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// The page is whole without this: it adds a filter to the table of tasks, and the reader's own clock.
"use strict";
(() => {
  const PAGE = 100;
  const byId = (id) => document.getElementById(id);

  // What is left until a moment, seen from now, and when that is on the reader's clock.
  const tellTime = () => {
    const now = Date.now();
    for (const place of document.querySelectorAll("[data-until]")) {
      const until = new Date(place.dataset.until);
      const minutes = Math.floor((until - now) / 60000);
      const hours = Math.floor(minutes / 60);
      const left = minutes < 1 ? "now past" : hours ? `${hours} h ${minutes % 60} min from now` : `${minutes} min from now`;
      const local = until.toLocaleString(undefined, { weekday: "short", hour: "2-digit", minute: "2-digit" });
      place.textContent = `On your clock ${local}, ${left}`;
    }
  };
  tellTime();
  setInterval(tellTime, 30000);

  const table = byId("task-table");
  if (!table) {
    return;
  }
  const text = byId("filter-text");
  const choices = ["fate", "target", "cause"].map((name) => ({ name, select: byId(`filter-${name}`) }));
  const count = byId("filter-count");
  const more = byId("more");
  const rows = [...table.tBodies[0].rows].map((row) => ({ row, words: row.textContent.toLowerCase() }));
  let most = PAGE;

  const show = () => {
    const wanted = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const chosen = choices.filter((one) => one.select.value !== "");
    let found = 0;
    for (const { row, words } of rows) {
      const fits =
        chosen.every((one) => row.dataset[one.name] === one.select.value) && wanted.every((word) => words.includes(word));
      found += fits;
      row.hidden = !fits || found > most;
    }
    const shown = Math.min(found, most);
    const all = `${rows.length} ${rows.length === 1 ? "task" : "tasks"}`;
    const fit = found === rows.length ? `of ${all}` : `of ${found} that fit, of ${all}`;
    count.textContent = found ? `Showing ${shown} ${fit}.` : `No task fits, of ${all}.`;
    more.hidden = shown === found;
    more.textContent = `Show ${Math.min(PAGE, found - shown)} more`;
    table.hidden = !found;
  };
  const restart = () => {
    most = PAGE;
    show();
  };

  text.addEventListener("input", restart);
  for (const { select } of choices) {
    select.addEventListener("change", restart);
  }
  byId("filter-reset").addEventListener("click", () => {
    text.value = "";
    for (const { select } of choices) {
      select.value = "";
    }
    restart();
    text.focus();
  });
  more.addEventListener("click", () => {
    // The reader goes on where the new rows begin, also by keyboard.
    const before = rows.filter(({ row }) => !row.hidden).length;
    most += PAGE;
    show();
    const next = rows.filter(({ row }) => !row.hidden)[before].row;
    next.tabIndex = -1;
    next.focus();
  });
  for (const button of document.querySelectorAll("button[data-cause]")) {
    const choice = choices[2].select;
    button.hidden = ![...choice.options].some((one) => one.value === button.dataset.cause);
    button.addEventListener("click", () => {
      text.value = "";
      for (const { select } of choices) {
        select.value = "";
      }
      choice.value = button.dataset.cause;
      restart();
      byId("tasks").scrollIntoView();
      choice.focus({ preventScroll: true });
    });
  }

  count.hidden = false;
  document.querySelector(".filter").hidden = false;
  show();
})();
