"use strict";
(() => {
  // The width of A4 and Letter between the margins, whichever is narrower, in pixels of 1/96 inch.
  const PAPER = 680;
  Charts.drawAll();
  addEventListener("beforeprint", () => Charts.print(PAPER));
  addEventListener("afterprint", () => Charts.print(0));
  const stem = document.body.dataset.stem;
  for (const button of document.querySelectorAll("[data-save]"))
    button.addEventListener("click", () => Charts.save(button.closest("figure").querySelector("[data-chart]"), button.dataset.save, stem));
  const toggle = document.getElementById("open-tables");
  if (toggle) toggle.addEventListener("click", () => {
    const open = toggle.getAttribute("aria-pressed") !== "true";
    document.querySelectorAll("details").forEach((each) => { each.open = open; });
    toggle.setAttribute("aria-pressed", String(open));
    toggle.textContent = open ? "Close all tables" : "Open all tables";
  });
})();
