/** Histograms on small canvases, in which some values are marked. */

import { colour } from "./colours.js";
import { short } from "./format.js";

const FOOT = 16; // CSS pixels below the bars, for the scale

/** Count values in bins of some width from 0. */
export function counts(values, width) {
  const bins = [];
  for (const value of values) {
    const bin = Math.floor(value / width);
    while (bins.length <= bin) bins.push(0);
    bins[bin] += 1;
  }
  return bins;
}

/** Draw bars of logarithmic height, those that hold a marked value in another colour. */
export function drawHistogram(canvas, values, marked, width) {
  const bins = counts(values, width);
  const chosen = new Set(marked.map((value) => Math.floor(value / width)));
  const ratio = devicePixelRatio || 1;
  const [w, h] = [canvas.clientWidth || 220, canvas.clientHeight || 90];
  canvas.width = w * ratio;
  canvas.height = h * ratio;
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  const tallest = Math.log1p(Math.max(...bins, 1));
  const step = w / bins.length;
  bins.forEach((count, bin) => {
    const height = count ? Math.max(2, (Math.log1p(count) / tallest) * (h - FOOT - 2)) : 0;
    context.fillStyle = colour(chosen.has(bin) ? "lit-bar" : "bar");
    context.fillRect(bin * step, h - FOOT - height, Math.max(1, step - 1), height);
  });
  context.fillStyle = colour("muted");
  context.font = "11px system-ui, sans-serif";
  context.textBaseline = "bottom";
  context.fillText("0", 0, h);
  const last = short(bins.length * width);
  context.fillText(last, w - context.measureText(last).width, h);
}
