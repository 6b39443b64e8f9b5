"use strict";
// Draws every element with data-chart: in the colours of the reader's scheme, and on paper in the light ones.
const Charts = (() => {
  const figures = JSON.parse(document.getElementById("chart-data").textContent);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const config = {displayModeBar: false, displaylogo: false, showSendToCloud: false, scrollZoom: false, responsive: true};
  let paper = 0;
  // On slides a chart grows with the type around it.
  const scale = () => paper ? 1 : Math.max(1, Number.parseFloat(getComputedStyle(document.body).fontSize) / 16);
  const figure = (place, light) => figures[place.dataset.chart][dark.matches && !light ? "dark" : "light"];
  const grown = (value, key, by) => {
    if (Array.isArray(value)) return value.map((each) => grown(each, key, by));
    if (value && typeof value === "object")
      return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, grown(inner, name, by)]));
    return ["size", "height", "t", "b", "xshift"].includes(key) && typeof value === "number" ? value * by : value;
  };
  const draw = (place) => {
    if (!paper && !place.clientWidth) return;
    const {data, layout} = structuredClone(figure(place, paper));
    const by = scale();
    Plotly.react(place, data, {...(by > 1 ? grown(layout, "", by) : layout), width: paper || place.clientWidth}, config);
  };
  const drawAll = () => document.querySelectorAll("[data-chart]").forEach(draw);
  const save = (place, format, stem) => {
    const {data, layout} = figure(place);
    const {clientWidth: width, clientHeight: height} = place;
    Plotly.downloadImage({data, layout, config}, {format, width, height, scale: 2, filename: `${stem}-${place.dataset.chart}`});
  };
  const print = (width) => { paper = width; drawAll(); };
  dark.addEventListener("change", drawAll);
  return {draw, drawAll, save, print};
})();
