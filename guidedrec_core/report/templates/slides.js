"use strict";
(() => {
  const slides = [...document.querySelectorAll(".slide")];
  const place = document.getElementById("place");
  const [back, on, full] = ["back", "on", "full"].map((id) => document.getElementById(id));
  // Width of a chart on landscape A4 and Letter, in pixels of 1/96 inch.
  const PAPER = 560;
  let shown = 0;
  const draw = () => slides[shown].querySelectorAll("[data-chart]").forEach(Charts.draw);
  const show = (wanted) => {
    shown = Math.min(Math.max(wanted, 0), slides.length - 1);
    slides.forEach((slide, n) => { slide.hidden = n !== shown; });
    place.textContent = `${shown + 1} of ${slides.length}`;
    back.disabled = shown === 0;
    on.disabled = shown === slides.length - 1;
    history.replaceState(null, "", `#${shown + 1}`);
    draw();
  };
  const asked = () => show((Number.parseInt(location.hash.slice(1), 10) || 1) - 1);
  const fill = () => document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen();
  const keys = {
    ArrowRight: () => show(shown + 1), ArrowDown: () => show(shown + 1), PageDown: () => show(shown + 1), " ": () => show(shown + 1),
    ArrowLeft: () => show(shown - 1), ArrowUp: () => show(shown - 1), PageUp: () => show(shown - 1), Backspace: () => show(shown - 1),
    Home: () => show(0), End: () => show(slides.length - 1), f: fill, F: fill,
  };
  addEventListener("keydown", (event) => {
    const pressed = event.target.closest("button, a") && (event.key === " " || event.key === "Enter");
    if (pressed || event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
  let start = null;
  addEventListener("touchstart", (event) => { start = event.changedTouches[0].clientX; }, {passive: true});
  addEventListener("touchend", (event) => {
    const moved = event.changedTouches[0].clientX - start;
    if (Math.abs(moved) > 60) show(shown + (moved < 0 ? 1 : -1));
  }, {passive: true});
  back.addEventListener("click", () => show(shown - 1));
  on.addEventListener("click", () => show(shown + 1));
  full.addEventListener("click", fill);
  addEventListener("hashchange", asked);
  addEventListener("resize", draw);
  addEventListener("beforeprint", () => Charts.print(PAPER));
  addEventListener("afterprint", () => { Charts.print(0); draw(); });
  asked();
})();
