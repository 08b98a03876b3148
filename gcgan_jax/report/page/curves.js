/** Curves of several runs over iterations: uPlot charts, made when they come into view. */

import { colour, groupColour, groupDashes, onColourChange } from "./colours.js";
import { element } from "./dom.js";
import { short, whole } from "./format.js";

const HEIGHT = 220; // CSS pixels
const drawn = new Map(); // uPlot charts by their elements

const pending = new Map();
const visible = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (isIntersecting && pending.has(target)) {
      visible.unobserve(target);
      drawn.set(target, draw(target, pending.get(target)));
      pending.delete(target);
    }
  }
}, { rootMargin: "400px" });

/** A chart of series {label, arm, thin, x, y}. */
export function chart(title, series) {
  const plot = element("div", { className: "plot" });
  const readout = element("p", { className: "readout" });
  visible.observe(plot);
  pending.set(plot, { series, readout });
  return element("div", { className: "chart" }, element("h4", {}, title), plot, readout);
}

const resized = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) {
    const made = drawn.get(target);
    if (made && made.width !== Math.floor(contentRect.width)) {
      made.setSize({ width: Math.floor(contentRect.width), height: HEIGHT });
    }
  }
});

onColourChange(() => drawn.forEach((made) => made.redraw(false, true)));

function draw(plot, { series, readout }) {
  const data = uPlot.join(series.map(({ x, y }) => [x, y]), series.map(() => [2]));
  let near = null; // the series next to the pointer
  const say = (made) => {
    const index = near === null ? null : made.cursor.idxs[near] ?? null;
    const at = () => `iteration ${whole(data[0][index])}: ${short(data[near][index])}`;
    readout.textContent = index === null ? "" : `${made.series[near].label}, ${at()}`;
  };
  const focused = (made, index, options) => {
    if (options.focus !== undefined) near = index;
    say(made);
  };
  const made = new uPlot({
    width: plot.clientWidth,
    height: HEIGHT,
    scales: { x: { time: false } },
    axes: [
      axis({ size: 28, values: (_, ticks) => ticks.map(iterations) }),
      axis({ size: 56, values: (_, ticks) => ticks.map(short) }),
    ],
    series: [{}, ...series.map(line)],
    legend: { show: false },
    cursor: { drag: { x: true, y: false }, focus: { prox: 1000 }, dataIdx: nearest },
    focus: { alpha: 0.25 },
    hooks: { setSeries: [focused], setCursor: [say] },
  }, data, plot);
  resized.observe(plot);
  return made;
}

/** The point of a series nearest to an index, as series have points at different iterations. */
function nearest(made, series, index) {
  const values = made.data[series];
  for (let distance = 0; distance < values.length; distance++) {
    if (Number.isFinite(values[index - distance])) return index - distance;
    if (Number.isFinite(values[index + distance])) return index + distance;
  }
  return index;
}

function iterations(value) {
  return value >= 1e4 ? `${Number((value / 1000).toPrecision(4))}k` : whole(value);
}

function axis(more) {
  return {
    stroke: () => colour("muted"),
    grid: { stroke: () => colour("line"), width: 1 },
    ticks: { show: false },
    font: "11px system-ui, sans-serif",
    ...more,
  };
}

function line({ label, arm, thin, x }) {
  return {
    label,
    stroke: () => colour(groupColour(arm)),
    width: thin ? 0.75 : 1.75,
    dash: groupDashes(arm),
    spanGaps: false,
    points: { show: x.length <= 12, size: 5 },
  };
}
